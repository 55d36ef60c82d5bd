#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::model {

/// The names of an enumeration's values in their order, as checkpoints, recipes and the command line write them.
/// Specialised for each.
template <class Enum>
inline constexpr std::array<std::string_view, 0> kNames{};
template <>
inline constexpr std::array<std::string_view, 6> kNames<Cell>{"rnn", "gru", "lstm", "loop", "loop_concat", "mingru"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<Nonlinearity>{"tanh", "relu"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<Initialization>{"uniform", "orthogonal", "identity"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<Precision>{"f32", "bf16", "auto"};
template <>
inline constexpr std::array<std::string_view, 4> kNames<Unit>{"char", "grapheme", "byte", "word"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<Normalization>{"none", "nfc", "nfkc"};
template <>
inline constexpr std::array<std::string_view, 8> kNames<Records>{"none", "lines", "csv",        "separator",
                                                                 "tsv",  "jsonl", "paragraphs", "files"};

template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return kNames<Enum>[static_cast<std::size_t>(value)];
}

template <class Enum>
constexpr std::optional<Enum> value_of(std::string_view name) {
  const auto found = std::ranges::find(kNames<Enum>, name);
  if (found == kNames<Enum>.end()) return std::nullopt;
  return static_cast<Enum>(found - kNames<Enum>.begin());
}

/// "uniform, orthogonal, identity": for messages.
template <class Enum>
std::string list_names() {
  std::string list;
  for (const std::string_view name : kNames<Enum>) (list += list.empty() ? "" : ", ") += name;
  return list;
}

}  // namespace rune::model
