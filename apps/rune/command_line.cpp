#include "command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <utility>

#include "output.h"
#include "train/option_text.h"

namespace rune::app {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kTextColumn = 30;

std::string usage_hint(const std::string& name) { return fmt::format("\nrune help {} lists its options", name); }

// Two columns: names, then a wrapped text.
std::string help_row(const std::string& names, const std::string& text) {
  std::string row = "  " + names;
  if (row.size() + 2 > kTextColumn) {
    row += '\n' + std::string(kTextColumn, ' ');
  } else {
    row.resize(kTextColumn, ' ');
  }
  return row + wrapped(text, kWidth - kTextColumn, kTextColumn) + '\n';
}

// Of "-n,--length".
std::vector<std::string_view> split(std::string_view names) { return train::split(names, ','); }

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string result;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > 0 && column + 1 + word.size() > width) {
      result += '\n' + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return result;
}

CommandLine::CommandLine(std::string name, std::string synopsis, std::string purpose)
    : name_(std::move(name)), synopsis_(std::move(synopsis)), purpose_(std::move(purpose)) {}

void CommandLine::operand(std::string name, std::string& target, std::string text) {
  operands_.push_back({.name = std::move(name), .text = std::move(text), .one = &target});
}

void CommandLine::optional_operand(std::string name, std::string& target, std::string text) {
  operands_.push_back({.name = std::move(name), .text = std::move(text), .one = &target, .required = false});
}

void CommandLine::operands(std::string name, std::vector<std::string>& target, std::string text) {
  operands_.push_back({.name = std::move(name), .text = std::move(text), .many = &target});
}

void CommandLine::optional_operands(std::string name, std::vector<std::string>& target, std::string text) {
  operands_.push_back({.name = std::move(name), .text = std::move(text), .many = &target, .required = false});
}

void CommandLine::group(std::string title) { groups_.push_back(std::move(title)); }

void CommandLine::flag(std::string names, bool& target, std::string text) {
  std::string shown = shown_names(names);
  entries_.push_back({groups_.back(), std::move(names), "", std::move(shown), std::move(text), "", false,
                      [&target](const std::string&, std::string_view) { target = true; }});
}

void CommandLine::toggle(const std::string& name, bool& target, std::string text) {
  entries_.push_back({groups_.back(), "--" + name, "", "--[no-]" + name, std::move(text), show_value(target), false,
                      [&target](const std::string&, std::string_view) { target = true; }});
  entries_.push_back({groups_.back(), "--no-" + name, "", "", "", "", false,
                      [&target](const std::string&, std::string_view) { target = false; }});
  exclusive({"--" + name, "--no-" + name});
}

std::string CommandLine::shown_names(const std::string& names) {
  return fmt::format("{}", fmt::join(split(names), ", "));
}

void CommandLine::exclusive(std::vector<std::string> names) { exclusive_.push_back(std::move(names)); }

void CommandLine::example(std::string command, std::string text) {
  examples_.emplace_back(std::move(command), std::move(text));
}

bool CommandLine::parse(int argc, const char* const* argv) {
  CLI::App parser;
  parser.set_help_flag();
  bool help_wanted = false;
  parser.add_flag("-h,--help", help_wanted);
  for (const Operand& operand : operands_) {
    if (operand.one != nullptr) {
      parser.add_option(operand.name, *operand.one);
    } else {
      parser.add_option(operand.name, *operand.many);
    }
  }
  std::vector<std::vector<std::string>> values(entries_.size(), std::vector<std::string>(1));
  std::vector<const CLI::Option*> options;
  std::vector<std::string> names{"-h", "--help"};
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const bool is_flag = entry.value_name.empty();
    if (is_flag) {
      options.push_back(parser.add_flag(entry.names));
    } else if (entry.repeated) {
      options.push_back(
          parser.add_option(entry.names, values[i])->allow_extra_args(false)->type_name(entry.value_name));
    } else {
      options.push_back(parser.add_option(entry.names, values[i][0])->take_last()->type_name(entry.value_name));
    }
    for (const std::string_view name : split(entry.names)) names.emplace_back(name);
  }

  std::vector<std::string> arguments(argv, argv + argc);
  std::ranges::reverse(arguments);
  try {
    parser.parse(std::move(arguments));
  } catch (const CLI::ExtrasError&) {
    const std::string word = parser.remaining().front();
    if (!word.starts_with("-")) throw UsageError(fmt::format("unexpected argument '{}'{}", word, usage_hint(name_)));
    const std::string option = word.substr(0, word.find('='));
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    throw UsageError(
        fmt::format("unknown option {}{}{}", option, train::suggestion(option, candidates), usage_hint(name_)));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what() + usage_hint(name_));
  }
  if (help_wanted) {
    Output(Output::Controls::pass).write(help());
    return false;
  }

  for (const Operand& operand : operands_) {
    if (operand.required && (operand.one != nullptr ? operand.one->empty() : operand.many->empty())) {
      throw UsageError(fmt::format("{} is missing\nusage: rune {} {}", operand.name, name_, synopsis_));
    }
  }
  for (const auto& group : exclusive_) {
    const std::string* given = nullptr;
    for (const std::string& name : group) {
      if (parser.get_option(name)->count() == 0) continue;
      if (given != nullptr) {
        throw UsageError(fmt::format("{} and {} exclude each other: give one of them", *given, name));
      }
      given = &name;
    }
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (options[i]->count() == 0) continue;
    const std::string_view name = split(entries_[i].names).back();
    given_.emplace(name);
    try {
      for (const std::string& value : values[i]) entries_[i].read(value, name);
    } catch (const InputError& error) {
      throw UsageError(error.what());
    }
  }
  return true;
}

std::string CommandLine::help() const {
  std::string text = fmt::format("usage: rune {} {}\n\n{}\n", name_, synopsis_, wrapped(purpose_, kWidth, 0));
  text += '\n';
  for (const Operand& operand : operands_) text += help_row(operand.name, operand.text);
  for (const std::string& title : groups_) {
    if (std::ranges::none_of(entries_, [&](const Entry& entry) { return entry.group == title; })) continue;
    text += fmt::format("\n{}:\n", title);
    for (const Entry& entry : entries_) {
      if (entry.group != title || entry.shown.empty()) continue;
      text += help_row(entry.shown,
                       entry.standard.empty() ? entry.text : fmt::format("{} [{}]", entry.text, entry.standard));
    }
  }
  if (!examples_.empty()) text += "\nExamples:\n";
  for (const auto& [command, meaning] : examples_) text += fmt::format("  {}\n      {}\n", command, meaning);
  return text;
}

}  // namespace rune::app
