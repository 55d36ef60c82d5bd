#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "train/trainer.h"

/// The files of a run directory that grow: metrics.jsonl, samples.txt and log.txt.
namespace rune::train {

/// The line of metrics.jsonl for a report, newline included. Numbers have all their digits, so that reading gives the
/// same bits; validation_loss and protocol are null without an evaluation.
std::string metrics_line(const Report& report);

/// Drops the lines after `step`, and a torn last one. Replaces the file as a whole, and only if there is something to
/// drop. Throws InputError naming the line that is not a metrics line.
void drop_metrics_after(const std::filesystem::path& path, std::int64_t step);

/// The paragraph of samples.txt for a report.
std::string sample_paragraph(const Report& report);
/// The samples in a samples.txt, in their order; none where there is no such file.
std::vector<std::string> read_samples(const std::filesystem::path& path);

/// The line of log.txt: "2026-01-31T12:00:00Z message", in UTC.
std::string log_line(std::string_view message);

}  // namespace rune::train
