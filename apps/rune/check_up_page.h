#pragma once

#include <string>

#include "suggestion.h"
#include "tools/check_up.h"

/// A check-up for people and for programs.
namespace rune::app {

/// `arguments`: of the command line, as a shell reads them.
std::string check_up_page(const tools::CheckUp& check_up, const Suggestion& suggestion, const std::string& arguments);
/// One line of JSON.
std::string check_up_json(const tools::CheckUp& check_up, const Suggestion& suggestion);

}  // namespace rune::app
