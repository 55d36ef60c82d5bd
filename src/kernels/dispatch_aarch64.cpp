#include "kernels/isa.h"

namespace rune::kernels {

std::span<const Kernels* const> detect_kernels() {
  static const Kernels* const kFound[] = {&kNeon};
  return kFound;
}

}  // namespace rune::kernels
