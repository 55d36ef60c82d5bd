// What PyTorch saved, in both formats: unpacked, read, made a model of.
#include "model/import.h"

#include <random>
#include <utility>
#include <vector>

#include "format/zip.h"
#include "support/archives.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  // A zip archive may unpack to 4 times its size, a pickle take 256 times its own; libarchive has buffers of its own.
  fuzz::accepts(size, /*multiple=*/4 * 256, /*fixed=*/16 << 20, [&] {
    const model::Model model = model::import_model(fuzz::as_text(data, size), "fuzz", {});
    model::State state(model.network.options(), 1);
    Matrix logits(1, static_cast<std::size_t>(model.network.vocabulary_size()));
    const std::int32_t token = 0;
    model.network.step({&token, 1}, state, logits);
  });
  return 0;
}

#ifdef RUNE_LIBFUZZER
// Of a zip archive one file is changed, and the sums and lengths around it are made anew.
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  using namespace rune;
  std::minstd_rand random(seed);
  const auto bytes = fuzz::as_text(data, size);
  if (!format::is_zip(bytes) || random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  try {
    auto entries = format::read_zip(bytes, "fuzz");
    std::vector<std::pair<std::string, std::string>> files(entries.begin(), entries.end());
    if (files.empty()) return LLVMFuzzerMutate(data, size, max_size);
    auto* chosen = &files[random() % files.size()];
    for (auto& file : files) {  // most of what can go wrong stands in the pickle
      if (file.first.ends_with("data.pkl") && random() % 4 != 0) chosen = &file;
    }
    std::string& part = random() % 16 == 0 ? chosen->first : chosen->second;
    part = fuzz::mutated(part, part.size() + 64);
    return fuzz::put(test::zip(files, random() % 8 == 0 ? "deflate" : "store"), data, max_size);
  } catch (const std::exception&) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
}
#endif
