#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <rune/options.h>
#include <rune/vocabulary.h>

namespace rune::text {

/// The alphabet that the options ask for, of the units of a text: symbols first, then units sorted by their bytes,
/// which is the order of code points. <unk> is among them where units are left out: those that are rare, beyond the
/// coverage, or beyond the greatest size; then training alone decides, and `count` is asked how often each occurs
/// there.
rune::Vocabulary choose_alphabet(std::span<const std::string> units,
                                 const std::function<std::vector<std::int64_t>()>& count, const TextOptions& options);

}  // namespace rune::text
