#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rune::tools {

/// Numbers for people: 1234567 as "1,234,567", 75 seconds as "1:15", 1500000 bytes as "1.5 MB".
std::string with_commas(std::int64_t value);
std::string as_time(double seconds);
std::string as_bytes(double bytes);

/// Of an even number of values, the mean of the two in the middle; there must be one.
double median(std::vector<double> values);

}  // namespace rune::tools
