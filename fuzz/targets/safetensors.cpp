// The format alone: any bytes, of which a file must come out that says what it holds, or a refusal.
#include "format/safetensors.h"

#include "safetensors_mutator.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  fuzz::accepts(size, /*multiple=*/64, /*fixed=*/1 << 16, [&] {
    const auto file = format::SafetensorsFile::parse(fuzz::as_text(data, size), "fuzz", format::Checksum::ignored);
    std::size_t bytes = 0;
    for (const format::TensorView& tensor : file.tensors()) bytes += tensor.data.size();
    fuzz::require(bytes < size);
  });
  return 0;
}

#ifdef RUNE_LIBFUZZER
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  return rune::fuzz::mutate_safetensors(data, size, max_size, seed);
}
#endif
