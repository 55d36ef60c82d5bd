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
    if (candidate->precision != Precision::f32) continue;
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

const Kernels& canonical() { return *kernels().canonical; }

const Kernels& kernels(Precision precision) {
  const Kernels& f32 = kernels();
  if (precision == Precision::f32) return f32;
  for (const Kernels* candidate : detect_kernels())
    if (candidate->isa == f32.isa && candidate->precision == Precision::bf16) return *candidate;
  if (precision == Precision::automatic) return f32;
  throw InputError("bf16 needs a processor that multiplies it (AVX-512 with bf16); this one runs " +
                   std::string(to_string(f32.isa)) + ": use --precision f32");
}

}  // namespace rune::kernels
