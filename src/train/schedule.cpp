#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "train/option_text.h"
#include "train/period.h"

namespace rune::train {
namespace {

double cosine(double base, double final, double position, double length) {
  return final + (base - final) * (1 + std::cos(std::numbers::pi * position / length)) / 2;
}

// Cycles are real numbers of steps: a multiplier need not be whole.
double cosine_with_restarts(const ScheduleOptions& options, double base, double step, double length) {
  if (options.cycle_multiplier == 1) return cosine(base, options.final_learning_rate, std::fmod(step, length), length);
  double start = 0;
  while (step >= start + length) {
    start += length;
    length *= options.cycle_multiplier;
  }
  return cosine(base, options.final_learning_rate, step - start, length);
}

double stage_rate(const std::vector<ScheduleOptions::Stage>& stages, std::int64_t step, std::int64_t steps_per_epoch) {
  std::int64_t end = 0;
  for (const ScheduleOptions::Stage& stage : stages) {
    end += steps_in(stage.length, steps_per_epoch);
    if (step < end) return stage.learning_rate;
  }
  return stages.back().learning_rate;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

double learning_rate(const ScheduleOptions& options, double base, std::int64_t step, std::int64_t steps_per_epoch,
                     std::int64_t total_steps) {
  const std::int64_t warmup = steps_in(options.warmup, steps_per_epoch);
  if (step < warmup) {
    const double start = options.kind == ScheduleKind::stages ? options.stages.front().learning_rate : base;
    return start * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  }
  const std::int64_t after = step - warmup;
  const auto s = static_cast<double>(after);
  const auto period = static_cast<double>(steps_in(options.period, steps_per_epoch));
  switch (options.kind) {
    case ScheduleKind::constant:
      return base;
    case ScheduleKind::step:
      return base * std::pow(options.factor, std::floor(s / period));
    case ScheduleKind::exponential:
      return base * std::pow(options.factor, s / period);
    case ScheduleKind::cosine: {
      if (total_steps == 0) return base;
      const auto length = static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup));
      return cosine(base, options.final_learning_rate, std::min(s, length), length);
    }
    case ScheduleKind::restarts:
      return cosine_with_restarts(options, base, s, period);
    case ScheduleKind::stages:
      return stage_rate(options.stages, after, steps_per_epoch);
  }
  return base;
}

ScheduleOptions parse_schedule(std::string_view text, std::string_view option) {
  const auto parts = split(text, ':');
  ScheduleOptions schedule;
  schedule.kind = parse_name<ScheduleKind>(parts[0], option);
  const std::size_t values = parts.size() - 1;
  const auto expect = [&](std::size_t least, std::size_t most) {
    if (values < least || values > most) {
      throw InputError(fmt::format("expected {} to be one of {}; found '{}'", option, kScheduleForms, text));
    }
  };
  switch (schedule.kind) {
    case ScheduleKind::constant:
      expect(0, 0);
      break;
    case ScheduleKind::step:
      expect(2, 2);
      schedule.period = parse_period(parts[1], option);
      schedule.factor = parse_number(parts[2], option);
      break;
    case ScheduleKind::exponential:
      expect(1, 2);
      schedule.factor = parse_number(parts[1], option);
      if (values > 1) schedule.period = parse_period(parts[2], option);
      break;
    case ScheduleKind::cosine:
      expect(0, 1);
      if (values > 0) schedule.final_learning_rate = parse_number(parts[1], option);
      break;
    case ScheduleKind::restarts:
      expect(1, 3);
      schedule.period = parse_period(parts[1], option);
      if (values > 1) schedule.cycle_multiplier = parse_number(parts[2], option);
      if (values > 2) schedule.final_learning_rate = parse_number(parts[3], option);
      break;
    case ScheduleKind::stages:
      expect(1, 1);
      for (const std::string_view stage : split(parts[1], ',')) {
        const auto halves = split(stage, '@');
        if (halves.size() != 2) {
          throw InputError(fmt::format("expected LR@PERIOD in {}, found '{}'", option, stage));
        }
        schedule.stages.push_back({parse_number(halves[0], option), parse_period(halves[1], option)});
      }
      break;
  }
  return schedule;
}

std::string to_string(const ScheduleOptions& options) {
  const std::string period = to_string(options.period);
  switch (options.kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::step:
      return fmt::format("step:{}:{}", period, options.factor);
    case ScheduleKind::exponential:
      return fmt::format("exponential:{}:{}", options.factor, period);
    case ScheduleKind::cosine:
      return fmt::format("cosine:{}", options.final_learning_rate);
    case ScheduleKind::restarts:
      return fmt::format("restarts:{}:{}:{}", period, options.cycle_multiplier, options.final_learning_rate);
    case ScheduleKind::stages: {
      std::string text = "stages:";
      for (const ScheduleOptions::Stage& stage : options.stages) {
        text += fmt::format("{}{}@{}", &stage == options.stages.data() ? "" : ",", stage.learning_rate,
                            to_string(stage.length));
      }
      return text;
    }
  }
  return {};
}

}  // namespace rune::train
