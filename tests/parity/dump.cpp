// rune_parity_dump FOLDER: writes what the engine, its double-precision twin, the optimisers and the
// recipes compute, one safetensors file a case, for check.py to compute again in PyTorch.

#include <exception>
#include <iostream>

#include "parity/cases.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: rune_parity_dump FOLDER\n";
    return 2;
  }
  try {
    rune::test::dump_model_cases(argv[1]);
    rune::test::dump_training_cases(argv[1]);
    rune::test::dump_recipe_cases(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "rune_parity_dump: " << error.what() << '\n';
    return 1;
  }
}
