#pragma once

#include <string>
#include <vector>

#include <rune/options.h>

namespace rune {

/// What the tokens of a model stand for, and how a text becomes tokens.
struct Vocabulary {
  /// By token: a unit as it stands in a text (UTF-8, or bytes that are none), or the name of a symbol: <unk>, <pad>,
  /// <BOS>, <EOS>. No unit is spelt like a symbol, since < and > are never inside a word.
  std::vector<std::string> entries;
  TextForm form{};

  bool operator==(const Vocabulary&) const = default;
};

}  // namespace rune
