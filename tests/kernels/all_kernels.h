#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace rune::kernels {

struct NamedKernels {
  std::string name;
  const Kernels* kernels;
};

/// The kernels that can run here, and those of the other instruction sets with their vectors emulated by the compiler:
/// the same templates with the same tiles, so that their logic is tested on every processor.
std::vector<NamedKernels> all_kernels();
/// The canonical ones of the same instruction sets.
std::vector<NamedKernels> all_canonical_kernels();

}  // namespace rune::kernels
