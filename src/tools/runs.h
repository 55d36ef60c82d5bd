#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/option_names.h"
#include "tools/curves.h"

/// Run directories as a list: what each of them says about its training, read without touching it.
namespace rune::tools {

enum class RunState {
  live,         ///< a process trains it at this moment
  finished,     ///< its plan is done
  stopped,      ///< on request, and saved
  failed,       ///< by an error, which its log names
  interrupted,  ///< the process ended without a word
};

/// Values by dotted key, as config.toml spells them, strings without their quotes: {"model.layers", "2"}.
using ConfigEntries = std::vector<std::pair<std::string, std::string>>;

/// What a list shows of a run.
struct RunSummary {
  std::filesystem::path path;
  std::string name;  // of the directory
  RunState state = RunState::interrupted;
  ConfigEntries config;
  std::optional<CurvePoint> last;  // the last line of its metrics
  std::optional<CurvePoint> best;  // that of the lowest validation loss
  std::int64_t reports = 0;        // lines of its metrics
  std::string failure;             // of a failed one, from its log
  std::int64_t modified = 0;       // when its metrics changed last, in seconds since 1970
};

/// The entries of a config.toml that rune wrote. Never fails: a line that it cannot read is left out.
ConfigEntries config_entries(std::string_view toml);
/// Empty if there is none.
std::string_view value_of(const ConfigEntries& entries, std::string_view key);
/// "lstm 2 x 512".
std::string model_text(const ConfigEntries& entries);

[[nodiscard]] bool is_run(const std::filesystem::path& path);
/// The run directories in a folder, by name; none where there is no such folder.
std::vector<std::filesystem::path> runs_in(const std::filesystem::path& folder);
/// In the order given. What cannot be read of a run is left empty; one that is no run any more is left out.
std::vector<RunSummary> summarize_runs(std::span<const std::filesystem::path> runs);

/// For each run, the entries in which it differs from what most of them have; paths of texts are none.
std::vector<ConfigEntries> differences(std::span<const RunSummary> runs);

/// Gives a run directory another name in the same folder, and returns its new path. The name must be one that a person
/// would give: 1 to 100 characters, no slash, no control character, no dot at its start. Throws InputError for another
/// name, FileError if the run is live or the name is taken.
std::filesystem::path rename_run(const std::filesystem::path& run, std::string_view name);
/// Moves a run directory to the folder `trash` beside it, and returns its new path. Throws FileError if it is live.
std::filesystem::path trash_run(const std::filesystem::path& run);
inline constexpr const char* kTrashName = "trash";

}  // namespace rune::tools

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 5> kNames<tools::RunState>{"live", "finished", "stopped", "failed",
                                                                         "interrupted"};

}  // namespace rune::model
