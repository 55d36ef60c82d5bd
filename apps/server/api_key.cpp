#include "server/api_key.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"

namespace rune::server {

ApiKey::ApiKey(std::string secret) : secret_(std::move(secret)) {
  constexpr std::size_t kShortest = 16;
  if (secret_.size() < kShortest) {
    throw InputError(
        fmt::format("expected an API key of at least {} characters, found {}; head -c 24 /dev/urandom | "
                    "base64 makes a good one",
                    kShortest, secret_.size()));
  }
  if (!std::ranges::all_of(secret_, [](char c) { return c > ' ' && c < '\x7f'; })) {
    throw InputError("expected an API key of letters, digits and punctuation, found another character in it");
  }
}

ApiKey ApiKey::read(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  const std::string content = read_file(file);
  constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
  if ((fs::status(file).permissions() & kOthers) != fs::perms::none) {
    throw InputError(
        fmt::format("expected '{0}' to be readable by its owner alone, as it holds an API key; "
                    "chmod 600 {0}",
                    file.string()));
  }
  std::string key = content.substr(0, content.find('\n'));
  if (key.ends_with('\r')) key.pop_back();
  return ApiKey(std::move(key));
}

// Every character of the guess is looked at, whatever is found.
bool ApiKey::matches(std::string_view guess) const {
  unsigned difference = guess.size() == secret_.size() ? 0 : 1;
  for (std::size_t i = 0; i < guess.size(); ++i) {
    difference |= static_cast<unsigned char>(guess[i]) ^ static_cast<unsigned char>(secret_[i % secret_.size()]);
  }
  return difference == 0;
}

}  // namespace rune::server
