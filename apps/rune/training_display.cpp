#include "training_display.h"

#include <unistd.h>

#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "output.h"
#include "train/metrics.h"

namespace rune::app {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);
constexpr std::string_view kClearLine = "\r\x1b[K";

std::string bits_per_character(double loss) { return fmt::format("{:.3f} bpc", loss / std::numbers::ln2); }

std::string speed(double characters_per_second) {
  return with_commas(std::llround(characters_per_second)) + " chars/s";
}

// One part of the progress line. Where the line is too wide, the parts of the highest rank are left out.
struct Field {
  int rank;
  std::string text;
};

std::string fitted(std::vector<Field> fields, std::size_t width) {
  for (int rank = 9;; --rank) {
    std::string line;
    for (const Field& field : fields) line += (line.empty() ? "" : "  ") + field.text;
    if (line.size() <= width) return line;
    if (rank == 0) return line.substr(0, width);
    std::erase_if(fields, [&](const Field& field) { return field.rank == rank; });
  }
}

std::string indented(const std::string& text) {
  std::string result = "    ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result + '\n';
}

}  // namespace

TrainingDisplay::TrainingDisplay(const Options& options, const train::Trainer& trainer)
    : options_(options), trainer_(trainer), terminal_(is_terminal(STDERR_FILENO)) {}

std::string TrainingDisplay::steps_text(std::int64_t step) const {
  const std::int64_t total = trainer_.total_steps();
  return total == 0 ? with_commas(step) : with_commas(step) + '/' + with_commas(total);
}

void TrainingDisplay::show(const train::Progress& progress) {
  if (options_.quiet || !terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && now - drawn_at_ < kRedrawEvery) return;
  drawn_ = true;
  drawn_at_ = now;

  std::vector<Field> fields{{5, fmt::format("epoch {:.2f}", progress.epoch)},
                            {0, "step " + steps_text(progress.step)},
                            {1, fmt::format("train {:.3f}", progress.train_loss)}};
  if (progress.validation_loss) fields.push_back({2, fmt::format("val {:.3f}", *progress.validation_loss)});
  fields.push_back({6, bits_per_character(progress.validation_loss.value_or(progress.train_loss))});
  fields.push_back({7, fmt::format("lr {:.3g}", progress.learning_rate)});
  fields.push_back({4, speed(progress.characters_per_second)});
  if (progress.total_steps > 0) fields.push_back({3, as_time(progress.seconds_left) + " left"});
  draw(fmt::format("{}{}", kClearLine, fitted(std::move(fields), terminal_width() - 1)));
}

void TrainingDisplay::show(const train::Report& report) {
  if (options_.json) {
    Output output(Output::Controls::pass);
    output.write(train::metrics_line(report));
    output.flush();
  }
  if (options_.quiet) return;
  clear();
  std::string line =
      fmt::format("step {}  epoch {:.2f}  train {:.4f}", steps_text(report.step), report.epoch, report.train_loss);
  if (report.validation) line += fmt::format("  validation {:.4f}", report.validation->loss);
  line += fmt::format("  {}  lr {:.3g}  {}  {}",
                      bits_per_character(report.validation ? report.validation->loss : report.train_loss),
                      report.learning_rate, speed(report.characters_per_second), as_time(report.seconds));
  if (report.best) line += "  best";
  line += '\n';
  if (!report.sample.empty()) line += indented(report.sample);
  message(line);
}

void TrainingDisplay::show(const std::string& notice) {
  clear();
  message(notice + '\n');
}

void TrainingDisplay::clear() {
  if (drawn_) draw(kClearLine);
  drawn_ = false;
}

}  // namespace rune::app
