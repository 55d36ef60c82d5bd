#include "train/metrics.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace rune::train {
namespace {

using Json = nlohmann::ordered_json;

// The step of a line; empty if it is not a metrics line.
std::optional<std::int64_t> step_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return std::nullopt;
  return json["step"].get<std::int64_t>();
}

}  // namespace

std::string metrics_line(const Report& report) {
  Json json;
  json["step"] = report.step;
  json["epoch"] = report.epoch;
  json["characters"] = report.characters;
  json["train_loss"] = report.train_loss;
  json["validation_loss"] = report.validation ? Json(report.validation->loss) : Json();
  json["protocol"] = report.validation ? Json(generate::to_string(report.validation->protocol)) : Json();
  json["learning_rate"] = report.learning_rate;
  json["gradient_norm"] = report.gradient_norm;
  json["characters_per_second"] = report.characters_per_second;
  json["seconds"] = report.seconds;
  return json.dump() + '\n';
}

void drop_metrics_after(const std::filesystem::path& path, std::int64_t step) {
  if (!std::filesystem::exists(path)) return;
  const std::string content = read_file(path);
  const std::string_view all = content;
  std::size_t kept = 0;
  for (int number = 1; kept < all.size(); ++number) {
    const std::size_t end = all.find('\n', kept);
    if (end == std::string_view::npos) break;
    const auto line_step = step_of(all.substr(kept, end - kept));
    if (!line_step) {
      throw InputError(
          fmt::format("{}:{}: expected a JSON object with a step, found something else; remove the line to go on",
                      path.string(), number));
    }
    if (*line_step > step) break;
    kept = end + 1;
  }
  if (kept < all.size()) write_file_atomically(path, all.substr(0, kept));
}

std::string sample_paragraph(const Report& report) {
  const std::string validation =
      report.validation ? fmt::format(", validation loss {:.4f}", report.validation->loss) : "";
  return fmt::format("--- step {}, train loss {:.4f}{}\n{}\n\n", report.step, report.train_loss, validation,
                     report.sample);
}

std::vector<std::string> read_samples(const std::filesystem::path& path) {
  constexpr std::string_view kHead = "--- step ";
  std::vector<std::string> samples;
  if (!std::filesystem::exists(path)) return samples;
  const std::string content = read_file(path);
  std::string_view rest = content;
  while (rest.starts_with(kHead)) {
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    const std::size_t next = rest.find(fmt::format("\n\n{}", kHead));
    std::string_view sample = rest.substr(0, next);
    rest.remove_prefix(next == std::string_view::npos ? rest.size() : next + 2);
    if (next == std::string_view::npos && sample.ends_with("\n\n")) sample.remove_suffix(2);
    samples.emplace_back(sample);
  }
  return samples;
}

std::string log_line(std::string_view message) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), message);
}

}  // namespace rune::train
