#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <rune/options.h>
#include <rune/vocabulary.h>

namespace rune::text {

/// How often each unit of a text occurs.
struct UnitCounts {
  std::span<const std::string> units;
  std::span<const std::int64_t> train;  // in the part for training
  std::span<const std::int64_t> all;
};

/// The alphabet that the options ask for: symbols first, then units sorted by their bytes, which is the order of code
/// points. <unk> is among them where units are left out: those that are rare, beyond the coverage, or beyond the
/// greatest size; then training alone decides.
rune::Vocabulary choose_alphabet(const UnitCounts& counts, const TextOptions& options);

}  // namespace rune::text
