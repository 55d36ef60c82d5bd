#pragma once

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <utility>

namespace rune {

/// Rounds up to a multiple of `unit`.
constexpr std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

/// `bytes` (a multiple of 64) of zeros, aligned to a cache line; large blocks ask for huge pages, and for no memory
/// until they are used. Throws std::bad_alloc.
void* allocate_zeroed(std::size_t bytes);
/// What allocate_zeroed gave for so many bytes, or nullptr.
void free_zeroed(void* memory, std::size_t bytes) noexcept;

/// A fixed-size array of trivial elements, zeroed, aligned to a cache line. Movable, not copyable by accident.
template <class T>
class Buffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T) - kAlignment) throw std::bad_alloc();
    data_ = static_cast<T*>(allocate_zeroed(bytes()));
  }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { free_zeroed(data_, bytes()); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return data_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data_[i]; }
  [[nodiscard]] std::span<T> span() { return {data_, size_}; }
  [[nodiscard]] std::span<const T> span() const { return {data_, size_}; }
  void zero() {
    if (size_ != 0) std::memset(static_cast<void*>(data_), 0, size_ * sizeof(T));
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return round_up(size_ * sizeof(T), kAlignment); }

  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Row-major matrix of floats that owns its memory. Shapes stand beside the members that use it.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols) : buffer_(rows * cols), rows_(rows), cols_(cols) {}

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t cols() const { return cols_; }
  [[nodiscard]] float* data() { return buffer_.data(); }
  [[nodiscard]] const float* data() const { return buffer_.data(); }
  [[nodiscard]] float* row(std::size_t r) { return buffer_.data() + r * cols_; }
  [[nodiscard]] const float* row(std::size_t r) const { return buffer_.data() + r * cols_; }
  [[nodiscard]] std::span<float> values() { return buffer_.span(); }
  [[nodiscard]] std::span<const float> values() const { return buffer_.span(); }
  void zero() { buffer_.zero(); }

 private:
  Buffer<float> buffer_;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
};

}  // namespace rune
