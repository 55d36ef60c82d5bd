#pragma once

#include <cstddef>
#include <functional>
#include <vector>

/// Naive double-precision twins of the kernels, written as the formulas stand in a textbook.
namespace rune::test {

using Vector = std::vector<double>;

/// C (rows, columns) = start + A (rows, depth) * B (depth, columns), all row-major.
inline Vector reference_product(const Vector& a, const Vector& b, Vector c, std::size_t rows, std::size_t depth,
                                std::size_t columns) {
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j)
      for (std::size_t k = 0; k < depth; ++k) c[i * columns + j] += a[i * depth + k] * b[k * columns + j];
  return c;
}

/// The derivative of a function of many values in direction i, by central differences.
inline double finite_difference(const std::function<double(const Vector&)>& function, Vector at, std::size_t i) {
  constexpr double kStep = 1e-5;
  const double middle = at[i];
  at[i] = middle + kStep;
  const double above = function(at);
  at[i] = middle - kStep;
  return (above - function(at)) / (2 * kStep);
}

}  // namespace rune::test
