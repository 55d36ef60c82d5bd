#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>
#include <rune/options.h>

#include "model/option_names.h"

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 4> kNames<OptimizerKind>{"adam", "adamw", "sgd", "rmsprop"};
template <>
inline constexpr std::array<std::string_view, 7> kNames<ScheduleKind>{"constant", "step",   "exponential", "cosine",
                                                                      "restarts", "stages", "wsd"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<DecayShape>{"linear", "sqrt"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<OutputBias>{"uniform", "frequencies"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<Alphabet>{"text", "printable"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<OnInvalid>{"error", "replace", "bytes"};
template <>
inline constexpr std::array<std::string_view, 4> kNames<ValidationSplit>{"tail", "random_windows", "last_windows",
                                                                         "documents"};
template <>
inline constexpr std::array<std::string_view, 3> kNames<Batching>{"streams", "windows", "records"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<SequenceLengths>{"fixed", "random"};
template <>
inline constexpr std::array<std::string_view, 4> kNames<ResetState>{"epoch", "validation", "document", "never"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<LossOn>{"all", "last"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<Reduction>{"mean", "sum"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<OnDivergence>{"rollback", "stop"};
template <>
inline constexpr std::array<std::string_view, 2> kNames<WindowState>{"zero", "carry"};

}  // namespace rune::model

/// The words and numbers of option values, as flags and config.toml spell them.
namespace rune::train {

template <class Enum>
concept Named = !model::kNames<Enum>.empty();

using model::list_names;
using model::name_of;

/// "; did you mean 'x'?" for the candidate at the smallest edit distance; empty if none is near.
std::string suggestion(std::string_view text, std::span<const std::string_view> candidates);

/// Throws InputError naming the option, the names there are and the nearest one.
template <Named Enum>
Enum parse_name(std::string_view text, std::string_view option) {
  if (const auto value = model::value_of<Enum>(text)) return *value;
  throw InputError(fmt::format("expected {} to be one of {}, found '{}'{}", option, list_names<Enum>(), text,
                               suggestion(text, model::kNames<Enum>)));
}

/// The parts between separators: one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator);

/// A finite decimal number that is the whole text; throws InputError naming the option.
double parse_number(std::string_view text, std::string_view option);

}  // namespace rune::train
