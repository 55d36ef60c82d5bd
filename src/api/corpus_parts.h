#pragma once

#include <rune/corpus.h>
#include "text/corpus.h"

namespace rune {

struct Corpus::Parts {
  text::Corpus corpus;
};

}  // namespace rune
