#pragma once

#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::text {

/// A text in the case and normal form that a model reads. Bytes that are no character stay as they are.
std::string treated(std::string_view text, const TextForm& form);

}  // namespace rune::text
