#include "kernels/kernels.h"

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
    case Isa::neon:
      return "neon";
  }
  return "unknown";
}

std::span<const Kernels* const> available_kernels() { return detect_kernels(); }

namespace {

const Kernels& choose() {
  const auto available = detect_kernels();
  const char* wanted = std::getenv("RUNE_ISA");
  if (wanted == nullptr || *wanted == '\0') return *available.front();
  std::string names;
  for (const Kernels* candidate : available) {
    if (to_string(candidate->isa) == wanted) return *candidate;
    names += names.empty() ? "" : ", ";
    names += to_string(candidate->isa);
  }
  throw InputError("RUNE_ISA=" + std::string(wanted) + ": this processor and this build run " + names +
                   "; unset RUNE_ISA to use the best of them");
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace rune::kernels
