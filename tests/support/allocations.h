#pragma once

#include <cstddef>
#include <cstdint>

namespace rune::test {

/// Calls of operator new by all threads since the program began. A program that uses this has its operator new
/// replaced.
std::int64_t allocations();

/// Lets the `nth` allocation of so many bytes from now on (from 1 on) fail, once; 0: none.
void fail_allocation(std::int64_t nth, std::size_t at_least);
/// Whether it has failed. Not every failure is an exception: some algorithms do with less memory.
bool allocation_failed();

}  // namespace rune::test
