#pragma once

#include <cstdint>

namespace rune::test {

/// Calls of operator new by all threads since the program began. A program that uses this has its operator new
/// replaced.
std::int64_t allocations();

}  // namespace rune::test
