#pragma once

#include <rune/options.h>

#include "command_line.h"
#include "train/option_text.h"

namespace rune::app {

/// The precision in which a finished model computes.
inline void add_precision_option(CommandLine& line, Precision& precision) {
  line.option("--precision", "NAME", precision,
              "What the factors of matrix products are rounded to: " + train::list_names<Precision>() +
                  ". auto: bf16 where the processor is faster with it; the result then depends on the machine.");
}

}  // namespace rune::app
