#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>

#include <rune/options.h>

#include "model/model.h"

/// What `rune sample` writes with a model of records.
namespace rune::app {

using KnownRecords = std::optional<std::unordered_set<std::string>>;

/// The records that a model was trained on, if it lies in its run directory and the texts are still there.
KnownRecords known_records(const std::filesystem::path& model, const text::Vocabulary& vocabulary);

struct RecordRequest {
  int length = 1000;  // units of a record at most
  int count = 1;
  bool novel = false;  // none that is known
  SampleOptions options{};
};

/// Draws records that begin with the prompt. on_record(record, copy): whether it is known. Throws InputError where the
/// model writes too few that are novel.
void write_records(const model::Model& model, std::span<const std::int32_t> prompt, const RecordRequest& request,
                   const KnownRecords& known,
                   const std::function<void(const std::string& record, bool copy)>& on_record);

}  // namespace rune::app
