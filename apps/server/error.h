#pragma once

#include <stdexcept>
#include <string>

#include "server/http.h"

namespace rune::server {

/// A request that cannot be answered as asked. It becomes an answer in OpenAI's format:
///   {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}
class ApiError : public std::runtime_error {
 public:
  /// `param`: the field of the body that is to blame, if it is one; `code`: a word that programs can ask for.
  ApiError(unsigned status, const std::string& message, std::string param = "", std::string code = "")
      : std::runtime_error(message), status_(status), param_(std::move(param)), code_(std::move(code)) {}

  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] const std::string& param() const { return param_; }
  [[nodiscard]] const std::string& code() const { return code_; }

 private:
  unsigned status_;
  std::string param_;
  std::string code_;
};

Response response_of(const ApiError& error);
/// {"error": ...}, as it stands in a body and in an event.
std::string json_of(const ApiError& error);

}  // namespace rune::server
