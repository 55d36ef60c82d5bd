#pragma once

#include <cstddef>
#include <cstdint>

namespace rune::fuzz {

/// Changes the header or the data of a safetensors file and repairs what would otherwise be refused at once: the length
/// of the header always, the offsets of the tensors often.
std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

}  // namespace rune::fuzz
