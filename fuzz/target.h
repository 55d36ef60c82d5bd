#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include <rune/error.h>

#include "memory.h"

/// What every fuzz target is made of. A target is a file of fuzz/targets that defines LLVMFuzzerTestOneInput, and
/// LLVMFuzzerCustomMutator where the format has lengths and sums that a blind change would break.
extern "C" {
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
// Of libFuzzer: changes a stretch of bytes, and returns its new size.
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
}

namespace rune::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A property that holds for every input.
inline void require(bool property) {
  if (!property) std::abort();
}

/// Reads an input, which may be refused by an InputError and in no other way, and may take at most `multiple` times its
/// size and `fixed` bytes, and ten seconds of a processor. Returns whether it was accepted.
template <class Read>
bool accepts(std::size_t size, std::size_t multiple, std::size_t fixed, const Read& read) {
  const PeakMemory peak;
  const std::clock_t start = std::clock();
  bool accepted = true;
  try {
    read();
  } catch (const InputError&) {
    accepted = false;
  }
  require(peak.bytes() <= multiple * size + fixed);
  require(std::clock() - start < 10 * CLOCKS_PER_SEC);
  return accepted;
}

/// A string changed by libFuzzer, of at most `max_size` bytes.
inline std::string mutated(std::string bytes, std::size_t max_size) {
  const std::size_t size = bytes.size();
  bytes.resize(max_size);
  if (size > max_size) return bytes;
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, max_size));
  return bytes;
}

/// The result of a mutator, cut off where it is too long.
inline std::size_t put(std::string_view bytes, std::uint8_t* data, std::size_t max_size) {
  return bytes.copy(reinterpret_cast<char*>(data), max_size);
}

}  // namespace rune::fuzz
