#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>
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

constexpr double kSlowStart = 0.01;  // of the rate
constexpr std::string_view kThen = " then ";

/// A step within one schedule: how far it is from the start, in the unit of a period, and how long that period is.
struct Place {
  double at = 0;
  double length = 0;
};

Place place_in(const Period& period, std::int64_t start, std::int64_t step, const Epochs& epochs) {
  if (period.unit == Period::Unit::steps || epochs.equal()) {
    return {static_cast<double>(step - start), static_cast<double>(epochs.end_of(period, start) - start)};
  }
  return {epochs.epochs_at(step) - epochs.epochs_at(start), period.value};
}

/// The cycle that a step lies in. Cycles are real numbers of steps: a multiplier need not be whole.
struct Cycle {
  std::int64_t number = 0;
  double start = 0;
  double length = 0;
};

Cycle cycle_at(const ScheduleOptions& options, const Place& place) {
  Cycle cycle{0, 0, place.length};
  if (options.cycle_multiplier == 1) {
    cycle.number = static_cast<std::int64_t>(std::floor(place.at / place.length));
    cycle.start = static_cast<double>(cycle.number) * place.length;
    return cycle;
  }
  while (place.at >= cycle.start + cycle.length) {
    ++cycle.number;
    cycle.start += cycle.length;
    cycle.length *= options.cycle_multiplier;
  }
  return cycle;
}

double stage_rate(const std::vector<ScheduleOptions::Stage>& stages, std::int64_t start, std::int64_t step,
                  const Epochs& epochs) {
  for (const ScheduleOptions::Stage& stage : stages) {
    start = epochs.end_of(stage.length, start);
    if (step < start) return stage.learning_rate;
  }
  return stages.back().learning_rate;
}

/// Where a schedule that another one follows ends.
std::int64_t end_of(const ScheduleOptions& options, std::int64_t start, const Epochs& epochs) {
  if (options.kind != ScheduleKind::stages) return epochs.end_of(options.length, start);
  std::int64_t end = epochs.end_of(options.warmup, start);
  for (const ScheduleOptions::Stage& stage : options.stages) end = epochs.end_of(stage.length, end);
  return end;
}

/// The schedule that a step lies in, and the step at which it starts; `end` 0: not known.
struct Phase {
  const ScheduleOptions* options = nullptr;
  std::int64_t start = 0;
  std::int64_t end = 0;
};

Phase phase_at(const ScheduleOptions& options, std::int64_t step, const Epochs& epochs, std::int64_t total_steps) {
  Phase phase{&options, 0, total_steps};
  std::int64_t start = 0;
  for (std::size_t i = 0; i < options.then.size(); ++i) {
    const std::int64_t end = end_of(*phase.options, start, epochs);
    if (step < end) return {phase.options, start, end};
    start = end;
    phase = {&options.then[i], start, total_steps};
  }
  return phase;
}

double rate_in(const Phase& phase, double base, std::int64_t step, const Epochs& epochs) {
  const ScheduleOptions& options = *phase.options;
  const std::int64_t start = epochs.end_of(options.warmup, phase.start);
  if (step < start) {
    const double first = options.kind == ScheduleKind::stages ? options.stages.front().learning_rate : base;
    return first * static_cast<double>(step - phase.start + 1) / static_cast<double>(start - phase.start + 1);
  }
  const Place place = place_in(options.period, start, step, epochs);
  switch (options.kind) {
    case ScheduleKind::constant:
      return base;
    case ScheduleKind::step:
      return base * std::pow(options.factor, std::floor(place.at / place.length));
    case ScheduleKind::exponential:
      return base * std::pow(options.factor, place.at / place.length);
    case ScheduleKind::cosine: {
      if (phase.end == 0) return base;
      const auto length = static_cast<double>(std::max<std::int64_t>(1, phase.end - start));
      return cosine(base, options.final_learning_rate, std::min(static_cast<double>(step - start), length), length);
    }
    case ScheduleKind::restarts: {
      if (step < epochs.end_of(options.slow_start, start)) return base * kSlowStart;
      const Cycle cycle = cycle_at(options, place);
      return cosine(base, options.final_learning_rate, place.at - cycle.start, cycle.length);
    }
    case ScheduleKind::stages:
      return stage_rate(options.stages, start, step, epochs);
    case ScheduleKind::wsd: {
      if (phase.end == 0) return base;
      const double length = options.decay_fraction * static_cast<double>(phase.end - phase.start);
      const double over = 1 - std::clamp(static_cast<double>(phase.end - step) / length, 0.0, 1.0);
      return base * (1 - (options.decay_shape == DecayShape::sqrt ? std::sqrt(over) : over));
    }
  }
  return base;
}

}  // namespace

double learning_rate(const ScheduleOptions& options, double base, std::int64_t step, const Epochs& epochs,
                     std::int64_t total_steps) {
  return rate_in(phase_at(options, step, epochs, total_steps), base, step, epochs);
}

std::int64_t cycles_over(const ScheduleOptions& options, std::int64_t step, const Epochs& epochs) {
  std::int64_t over = 0;
  std::int64_t start = 0;
  const ScheduleOptions* phase = &options;
  for (std::size_t next = 0;; ++next) {
    const bool last = next == options.then.size();
    const std::int64_t end = last ? step + 1 : end_of(*phase, start, epochs);
    if (phase->kind == ScheduleKind::restarts) {
      const std::int64_t first = epochs.end_of(phase->warmup, start);
      const std::int64_t until = std::min(step, end);
      if (until >= first) {
        const Place place = place_in(phase->period, first, until, epochs);
        const Cycle cycle = cycle_at(*phase, place);
        over += cycle.number;
        if (step >= end && place.at > cycle.start) ++over;
      }
    }
    if (last || step < end) return over;
    start = end;
    phase = &options.then[next];
  }
}

namespace {

ScheduleOptions parse_form(std::string_view text, std::string_view option) {
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
      expect(1, 4);
      schedule.period = parse_period(parts[1], option);
      if (values > 1) schedule.cycle_multiplier = parse_number(parts[2], option);
      if (values > 2) schedule.final_learning_rate = parse_number(parts[3], option);
      if (values > 3) schedule.slow_start = parse_period(parts[4], option);
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
    case ScheduleKind::wsd:
      expect(0, 2);
      if (values > 0) schedule.decay_fraction = parse_number(parts[1], option);
      if (values > 1) schedule.decay_shape = parse_name<DecayShape>(parts[2], option);
      break;
  }
  return schedule;
}

std::string form_of(const ScheduleOptions& options) {
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
      return fmt::format("restarts:{}:{}:{}{}", period, options.cycle_multiplier, options.final_learning_rate,
                         options.slow_start.value == 0 ? "" : ":" + to_string(options.slow_start));
    case ScheduleKind::stages: {
      std::string text = "stages:";
      for (const ScheduleOptions::Stage& stage : options.stages) {
        text += fmt::format("{}{}@{}", &stage == options.stages.data() ? "" : ",", stage.learning_rate,
                            to_string(stage.length));
      }
      return text;
    }
    case ScheduleKind::wsd:
      return fmt::format("wsd:{}:{}", options.decay_fraction, name_of(options.decay_shape));
  }
  return {};
}

}  // namespace

ScheduleOptions parse_schedule(std::string_view text, std::string_view option) {
  std::vector<ScheduleOptions> phases;
  for (std::string_view rest = text;;) {
    const std::size_t end = rest.find(kThen);
    const bool last = end == std::string_view::npos;
    const std::string_view form = rest.substr(0, end);
    // Stages bring their own lengths.
    const std::size_t at = last || form.starts_with("stages:") ? std::string_view::npos : form.rfind('@');
    ScheduleOptions phase = parse_form(form.substr(0, at), option);
    if (at != std::string_view::npos) {
      phase.length = parse_period(form.substr(at + 1), option);
    } else if (!last && phase.kind != ScheduleKind::stages) {
      throw InputError(fmt::format("expected a length (constant@2e) before 'then' in {}, found '{}'", option, form));
    }
    phases.push_back(std::move(phase));
    if (last) break;
    rest.remove_prefix(end + kThen.size());
  }
  ScheduleOptions schedule = std::move(phases.front());
  schedule.then.assign(std::make_move_iterator(phases.begin() + 1), std::make_move_iterator(phases.end()));
  return schedule;
}

std::string to_string(const ScheduleOptions& options) {
  const auto with_length = [](const ScheduleOptions& phase) {
    return form_of(phase) + (phase.length.value == 0 ? "" : "@" + to_string(phase.length));
  };
  std::string text = with_length(options);
  for (const ScheduleOptions& phase : options.then) text += fmt::format("{}{}", kThen, with_length(phase));
  return text;
}

}  // namespace rune::train
