#pragma once

#include <string>
#include <string_view>

#include <rune/options.h>

namespace rune::text {

/// Whether texts of this form may differ from what they are read from.
bool is_changed(const TextForm& form);
/// A text in the case and normal form that a model reads. Bytes that are no character stay as they are.
std::string treated(std::string_view text, const TextForm& form);

/// The form in which a text is read for a model of a known form: with its unit and all that it does, and what is asked
/// for beyond that.
TextForm form_like(const TextForm& known, const TextForm& asked);

}  // namespace rune::text
