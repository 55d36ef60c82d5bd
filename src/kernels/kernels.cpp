#include "kernels/kernels.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "kernels/isa.h"
#include "rune/error.h"

namespace rune::kernels {

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::amx:
      return "amx";
    case Isa::neon:
      return "neon";
  }
  return "unknown";
}

std::span<const Kernels* const> available_kernels() { return detect_kernels(); }

namespace {

/// What can run here and is no better than RUNE_ISA, best first.
std::span<const Kernels* const> choose() {
  const auto available = detect_kernels();
  const char* wanted = std::getenv("RUNE_ISA");
  if (wanted == nullptr || *wanted == '\0') return available;
  std::string names;
  for (std::size_t i = 0; i < available.size(); ++i) {
    if (i > 0 && available[i]->isa == available[i - 1]->isa) continue;
    if (to_string(available[i]->isa) == wanted) return available.subspan(i);
    names += names.empty() ? "" : ", ";
    names += to_string(available[i]->isa);
  }
  throw InputError("RUNE_ISA=" + std::string(wanted) + ": this processor and this build run " + names +
                   "; unset RUNE_ISA to use the best of them");
}

}  // namespace

const Kernels& kernels() { return kernels(Precision::f32); }

const Kernels& canonical() { return *kernels().canonical; }

const Kernels& kernels(Precision precision) {
  static const auto kChosen = choose();
  const auto best = [](Precision of) { return std::ranges::find(kChosen, of, &Kernels::precision); };
  if (precision == Precision::automatic) return *kChosen.front();
  if (const auto found = best(precision); found != kChosen.end()) return **found;
  throw InputError("bf16 needs a processor that multiplies it (AMX, or AVX-512 with bf16); this one runs " +
                   std::string(to_string(kernels(Precision::f32).isa)) + ": use --precision f32");
}

}  // namespace rune::kernels
