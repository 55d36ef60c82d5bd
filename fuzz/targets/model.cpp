// A model file: its metadata, its weights, and a step of what comes out.
#include "model/model.h"

#include <cmath>

#include "safetensors_mutator.h"
#include "target.h"
#include "train/checkpoint.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  // A character costs its row of the vocabulary's table, whatever the size of the file: up to Unicode's last, 4.5 MB.
  fuzz::accepts(size, /*multiple=*/256, /*fixed=*/16 << 20, [&] {
    const auto file = format::SafetensorsFile::parse(fuzz::as_text(data, size), "fuzz", format::Checksum::ignored);
    const model::Model model = model::model_from(file);
    fuzz::require(model::model_options_from_json(model::to_json(model.network.options()), "fuzz") ==
                  model.network.options());
    model::State state(model.network.options(), 1);
    Matrix logits(1, static_cast<std::size_t>(model.network.vocabulary_size()));
    const std::int32_t token = model.network.vocabulary_size() - 1;
    model.network.step({&token, 1}, state, logits);
    if (file.metadata().contains("rune.train")) static_cast<void>(train::position_of(file));
  });
  return 0;
}

#ifdef RUNE_LIBFUZZER
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  return rune::fuzz::mutate_safetensors(data, size, max_size, seed);
}
#endif
