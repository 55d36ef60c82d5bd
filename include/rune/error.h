#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

/// The errors that rune reports. This header uses the standard library alone and may be used from every layer.
///
/// A message names what was expected, what was found, where (file, line, byte, step) and what to do about it.
namespace rune {

/// Base of every error that rune throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something the caller gave is wrong: a text, a prompt, an option, a file's content.
class InputError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: the message names the file and the cause.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Loss or gradients stopped being finite. The parameters are those before the failing step.
class DivergedError : public Error {
 public:
  DivergedError(const std::string& message, std::int64_t step) : Error(message), step_(step) {}
  /// The step (counted from 1) that would have applied the update.
  [[nodiscard]] std::int64_t step() const { return step_; }

 private:
  std::int64_t step_;
};

}  // namespace rune
