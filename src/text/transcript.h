#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace rune::text {

/// Any bytes as tokens that a model can read, and what the bytes have beyond them, so that they can be told exactly.
///
/// A model of a form (lower case, a normal form, "\n" for every line end) reads a text in that form; what the text has
/// in its place stands beside the token. What no token is like stands before the next one.
struct Transcript {
  struct Aside {
    std::size_t token = 0;   // its place in `tokens`
    std::string_view bytes;  // of the text
  };
  std::vector<std::int32_t> tokens;
  std::vector<Aside> instead;  // what the text has in place of the token's own entry; may be empty
  std::vector<Aside> before;   // what the text has before the token; at most one, at the end also before none
};

/// The bytes must outlive the result.
Transcript transcribe(const Vocabulary& vocabulary, std::string_view bytes);
/// The bytes again.
std::string written_out(const Vocabulary& vocabulary, const Transcript& transcript);

}  // namespace rune::text
