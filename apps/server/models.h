#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"

namespace rune::server {

/// A model that clients can ask for by its id.
struct ServedModel {
  std::string id;
  std::shared_ptr<const model::Model> model;
  std::int64_t created = 0;  // when its file was written, in seconds since 1970
};

/// Models by the base names of their runs or files. Immutable, thread-safe.
class Models {
 public:
  /// Reads them all, to compute in a precision. Throws FileError or InputError, also where two would have the same id.
  Models(const std::vector<std::filesystem::path>& paths, Precision precision);
  explicit Models(std::vector<ServedModel> models);

  [[nodiscard]] const std::vector<ServedModel>& all() const { return models_; }
  /// An empty id means the only one. Throws ApiError with status 404.
  [[nodiscard]] const ServedModel& find(const std::string& id) const;

 private:
  std::vector<ServedModel> models_;
};

}  // namespace rune::server
