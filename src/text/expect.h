#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <rune/error.h>

/// What batchers ask of their arguments. All throw InputError.
namespace rune::text {

inline void expect_positive(const char* what, int value) {
  if (value < 1) {
    throw InputError("expected a " + std::string(what) + " of at least 1, found " + std::to_string(value));
  }
}

inline void expect_two(std::span<const std::int32_t> tokens) {
  if (tokens.size() < 2) {
    throw InputError("expected a text of at least 2 characters, found " + std::to_string(tokens.size()));
  }
}

}  // namespace rune::text
