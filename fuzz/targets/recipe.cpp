// A recipe or a run's configuration: TOML with checked keys and values.
#include "target.h"
#include "train/config.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  const std::string toml(fuzz::as_text(data, size));
  fuzz::accepts(size, /*multiple=*/1024, /*fixed=*/1 << 20,
                [&] { static_cast<void>(train::recipe_from_toml(toml, "fuzz")); });
  fuzz::accepts(size, /*multiple=*/1024, /*fixed=*/1 << 20, [&] {
    const std::string written = train::to_toml(train::run_config_from_toml(toml, "fuzz"));
    fuzz::require(train::to_toml(train::run_config_from_toml(written, "written")) == written);
  });
  return 0;
}
