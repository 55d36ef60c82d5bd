#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "model/model.h"

namespace rune::generate {

/// How a text is packed; see docs/compression.md.
struct CompressionOptions {
  int streams = 0;  // parts of the text that the model reads side by side; 0: as many as the length allows
  int threads = 0;  // 0: one for each processor where the model is large; the result is the same with any number
};

/// What a packed text says of itself.
struct PackedText {
  std::string model;         // digest of the model, see model::digest
  std::uint64_t bytes = 0;   // of the text
  std::uint64_t tokens = 0;  // that the model reads of it
  std::uint64_t checksum = 0;
  int streams = 1;
  bool with_instead = false;  // whether anything stands in place of tokens, and before them: text::Transcript
  bool with_before = false;
  bool stored = false;       // the bytes are the payload, since the model would have made more of them
  std::string_view payload;  // part of the packed bytes
};

/// Called now and then with the share that is done, in [0, 1].
using OnProgress = std::function<void(double share)>;

/// Any bytes, packed with the probabilities that the model gives to every character. Throws InputError for options out
/// of range, or if the model's logits are not finite.
std::string compress(const model::Model& model, std::string_view bytes, const CompressionOptions& options = {},
                     const OnProgress& on_progress = {});

/// Throws InputError naming `name` if it is no packed text, of another version, or damaged anywhere.
PackedText read_packed(std::string_view packed, const std::string& name);

/// The bytes that were packed, or an InputError naming `name`: what read_packed refuses, another model, or a text that
/// is not the one that was packed. Takes memory for what it has unpacked so far, whatever the header says.
std::string decompress(const model::Model& model, std::string_view packed, const std::string& name, int threads = 0,
                       const OnProgress& on_progress = {});

}  // namespace rune::generate
