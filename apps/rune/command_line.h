#pragma once

#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "values.h"

namespace rune::app {

/// The command was called in a wrong way: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The arguments of one subcommand: one table that both the parser and the help text are made of.
///
/// Targets are given by reference, hold the defaults before parse() and the values after it, and must outlive it.
class CommandLine {
 public:
  /// `synopsis` follows the name in the usage line; `purpose` is the paragraph below it.
  CommandLine(std::string name, std::string synopsis, std::string purpose);

  /// What is not an option: exactly one, one and more, or any number.
  void operand(std::string name, std::string& target, std::string text);
  void optional_operand(std::string name, std::string& target, std::string text);
  void operands(std::string name, std::vector<std::string>& target, std::string text);
  void optional_operands(std::string name, std::vector<std::string>& target, std::string text);

  /// Opens a group of options under a title.
  void group(std::string title);
  /// `names`: "-n" or "--layers" or "-o,--output". The default stands in the help unless it is empty. Given several
  /// times, the last value counts; a vector gets all of them.
  template <class T>
  void option(std::string names, std::string value_name, T& target, std::string text) {
    std::string shown = shown_names(names) + ' ' + value_name;
    entries_.push_back(
        {groups_.back(), std::move(names), std::move(value_name), std::move(shown), std::move(text), show_value(target),
         std::is_same_v<T, std::vector<std::string>>,
         [&target](const std::string& value, std::string_view option) { read_value(value, option, target); }});
  }
  void flag(std::string names, bool& target, std::string text);
  /// --name and --no-name, for what a recipe may have switched on or off.
  void toggle(const std::string& name, bool& target, std::string text);
  /// At most one of these options may be given.
  void exclusive(std::vector<std::string> names);
  void example(std::string command, std::string text);

  /// Throws UsageError. False: --help was asked for and has been written to stdout.
  [[nodiscard]] bool parse(int argc, const char* const* argv);
  /// After parse(): whether this option, by the last of its names, was on the command line.
  [[nodiscard]] bool given(std::string_view option) const { return given_.contains(option); }
  [[nodiscard]] std::string help() const;

 private:
  struct Operand {
    std::string name;
    std::string text;
    std::vector<std::string>* many = nullptr;
    std::string* one = nullptr;
    bool required = true;
  };
  struct Entry {
    std::string group;
    std::string names;
    std::string value_name;  // empty: a flag
    std::string shown;       // names in the help; empty: not there
    std::string text;
    std::string standard;  // the default, as help shows it
    bool repeated = false;
    std::function<void(const std::string& value, std::string_view option)> read;
  };

  static std::string shown_names(const std::string& names);  // "-n,--length" as "-n, --length"

  std::string name_;
  std::string synopsis_;
  std::string purpose_;
  std::vector<Operand> operands_;
  std::vector<std::string> groups_;
  std::vector<Entry> entries_;
  std::vector<std::vector<std::string>> exclusive_;
  std::set<std::string, std::less<>> given_;
  std::vector<std::pair<std::string, std::string>> examples_;
};

/// Breaks a text at spaces into lines of at most `width` columns; every line but the first starts with `indent` spaces.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace rune::app
