#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace rune::server {

/// A secret that clients must know. It is compared in a time that does not depend on where a guess goes wrong, and
/// nothing prints it.
class ApiKey {
 public:
  /// Throws InputError if it is shorter than 16 characters, or holds anything but printable ASCII without spaces.
  explicit ApiKey(std::string secret);
  /// The first line of a file that only its owner may read. Throws FileError or InputError.
  static ApiKey read(const std::filesystem::path& file);

  [[nodiscard]] bool matches(std::string_view guess) const;

 private:
  std::string secret_;
};

}  // namespace rune::server
