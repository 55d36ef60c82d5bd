#include "tools/reproduction.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "generate/generator.h"
#include "model/model.h"
#include "tools/numbers.h"
#include "tools/program.h"
#include "tools/published.h"
#include "train/metrics.h"
#include "train/option_text.h"
#include "train/period.h"
#include "train/recipe.h"
#include "train/run_directory.h"
#include "train/schedule.h"
#include "train/train_options.h"

namespace rune::tools {
namespace {

namespace fs = std::filesystem;

constexpr double kShortRun = 120;  // seconds
constexpr std::uint64_t kSeedsOfShortRuns = 3;
constexpr std::size_t kSamplesShown = 3;
constexpr double kSameLoss = 5e-5;  // published figures have so many decimals

bool asked_for(const train::Recipe& recipe, const std::string& system) {
  return recipe.name == system || recipe.name.starts_with(system + '-') ||
         std::ranges::find(recipe.aliases, system) != recipe.aliases.end();
}

bool asked_for(const train::Recipe& recipe, const std::vector<std::string>& systems) {
  return std::ranges::any_of(systems, [&](const std::string& system) { return asked_for(recipe, system); });
}

void refuse_unknown(const std::vector<std::string>& systems, const std::vector<train::Recipe>& recipes) {
  std::vector<std::string_view> names;
  names.reserve(recipes.size());
  for (const train::Recipe& recipe : recipes) names.push_back(recipe.name);
  for (const std::string& system : systems) {
    if (std::ranges::none_of(recipes, [&](const train::Recipe& recipe) { return asked_for(recipe, system); })) {
      throw InputError(fmt::format("expected the name of a recipe, found '{}'{}; rune recipes lists them", system,
                                   train::suggestion(system, names)));
    }
  }
}

std::string configuration_of(const train::RunConfig& config, const Period& duration) {
  const ModelOptions& model = config.model;
  const TrainOptions& train = config.train;
  std::string text = fmt::format("{} {} x {}", train::name_of(model.cell), model.layers, model.hidden_size);
  text += model.embedding > 0 ? fmt::format(", embedding {}", model.embedding) : ", one-hot input";
  if (model.dropout > 0) text += fmt::format(", dropout {}", model.dropout);
  if (model.init != Initialization::uniform) text += fmt::format(", init {}", train::name_of(model.init));
  text += fmt::format("; {} of {} x {}", train::name_of(train.batching), train.batch_size, train.sequence_length);
  if (train.batching == Batching::records) text += " at most";
  if (train.sequence_lengths == SequenceLengths::random) text += " (random lengths)";
  if (train.stride > 0) text += fmt::format(", stride {}", train.stride);
  if (train.loss_on == LossOn::last) text += ", loss on the last step";
  if (train.reduction == Reduction::sum) text += ", summed loss";
  text += fmt::format("; {}, lr {}", train::name_of(train.optimizer.kind), train.optimizer.learning_rate);
  if (train.schedule != ScheduleOptions()) text += fmt::format(", {}", train::to_string(train.schedule));
  if (const double decay = train.optimizer.weight_decay.value_or(0); decay > 0) {
    text += fmt::format(", weight decay {}", decay);
  }
  if (train.clip_norm > 0) text += fmt::format(", gradient norm at most {}", train.clip_norm);
  return text + fmt::format("; {}", train::to_string(duration));
}

// The configuration of one training; true: it is shorter than the recipe's.
bool cut(TrainOptions& train, const ReproductionOptions& options) {
  if (!options.max_epochs || train.duration.unit != Period::Unit::epochs ||
      train.duration.value <= *options.max_epochs) {
    return false;
  }
  train.duration.value = *options.max_epochs;
  return true;
}

fs::path run_path(const train::Recipe& recipe, const ReproductionOptions& options, std::uint64_t seed) {
  return options.output / "runs" / fmt::format("{}-{}", recipe.name, seed);
}

std::vector<std::string> some_of(std::vector<std::string> samples) {
  if (samples.size() <= kSamplesShown) return samples;
  return {samples.front(), samples[samples.size() / 2], samples.back()};
}

SystemRun result_of(const train::RunDirectory& directory, std::uint64_t seed, const Period& duration) {
  SystemRun run{.seed = seed, .duration = duration, .curve = read_run(directory.path())};
  run.curve.label = fmt::format("seed {}", seed);
  const CurvePoint& last = run.curve.points.back();
  run.characters = static_cast<std::int64_t>(last.characters.value_or(0));
  run.seconds = last.seconds.value_or(0);
  run.samples = some_of(train::read_samples(directory.samples()));
  return run;
}

// Empty: a stop was requested.
std::optional<SystemRun> train_once(const train::Recipe& recipe, std::uint64_t seed, const ReproductionOptions& options,
                                    const train::Observer& observer) {
  const fs::path path = run_path(recipe, options, seed);
  train::RunConfig config = recipe.config;
  config.texts = {options.data / recipe.corpus};
  config.train.seed = seed;
  config.train.threads = options.threads;
  cut(config.train, options);
  const bool begun = fs::exists(path);
  auto directory = begun ? train::RunDirectory::open(path) : train::RunDirectory::create(path, config);
  text::Corpus corpus = train::read_corpus(config);
  std::optional<train::Trainer> trainer;
  if (begun) {
    trainer = train::Trainer::resume(std::move(corpus), directory);
    // Not below what the run was made longer to since.
    const Period& now = trainer->options().duration;
    if (now.unit == config.train.duration.unit && now.value < config.train.duration.value) {
      trainer->set_duration(config.train.duration);
    }
  } else {
    model::Model model = train::initial_model(config, corpus);
    trainer.emplace(std::move(model), std::move(corpus), config.train, &directory);
  }
  if (!trainer->finished() && trainer->run(observer) == train::Outcome::stopped) return std::nullopt;
  return result_of(directory, seed, trainer->options().duration);
}

// The median over all runs at a published point; empty where none has it.
std::optional<double> median_at(const SystemResult& result, const CurvePoint& point,
                                std::optional<double> CurvePoint::*loss) {
  std::vector<double> values;
  for (const SystemRun& run : result.runs) {
    const CurvePoint* const ours = point_at(run.curve, point);
    if (ours == nullptr) continue;
    if (const std::optional<double>& value = (*ours).*loss) values.push_back(*value);
  }
  if (values.size() < result.runs.size() || values.empty()) return std::nullopt;
  return median(std::move(values));
}

CurvePoint at_epoch(double epoch) {
  CurvePoint point;
  point.epoch = epoch;
  return point;
}

void judge_training(SystemResult& result) {
  const train::Published& published = result.recipe.published;
  if (published.train_tolerance == 0) return;
  for (const auto& [epoch, loss] : published.train) {
    const auto ours = median_at(result, at_epoch(epoch), &CurvePoint::train_loss);
    if (!ours) continue;
    const double off = *ours / loss - 1;
    result.checks.push_back({fmt::format("training loss after epoch {} within {:g} % of {:g}", epoch,
                                         100 * published.train_tolerance, loss),
                             fmt::format("{:.4f} ({:+.1f} %)", *ours, 100 * off),
                             std::abs(off) <= published.train_tolerance});
  }
}

// The last published point that the runs have reached.
std::optional<Figure> last_figure(const SystemResult& result, bool validation) {
  const train::Published& published = result.recipe.published;
  const auto& points = validation ? published.validation : published.train;
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    const auto found =
        median_at(result, at_epoch(point->epoch), validation ? &CurvePoint::validation_loss : &CurvePoint::train_loss);
    if (found) return Figure{point->epoch, validation, point->loss, *found};
  }
  return std::nullopt;
}

void judge_final_loss(SystemResult& result) {
  const double tolerance = result.recipe.published.validation_tolerance;
  const std::optional<Figure>& last = result.last;
  if (tolerance == 0 || !last || !last->validation) return;
  result.checks.push_back({fmt::format("validation loss after epoch {} at most {:g} % above {:g}", last->epoch,
                                       100 * tolerance, last->published),
                           fmt::format("{:.4f} ({:+.2f} %)", last->found, 100 * last->off()),
                           last->off() <= tolerance});
}

void judge_milestones(SystemResult& result) {
  const train::Published& published = result.recipe.published;
  if (published.milestone_tolerance == 0) return;
  std::vector<CurvePoint> points;
  if (published.milestones_from > 0) {
    for (const CurvePoint& point : result.published.points) {
      if (point.validation_loss && point.step.value_or(0) >= static_cast<double>(published.milestones_from)) {
        points.push_back(point);
      }
    }
  } else {
    for (const auto& [epoch, loss] : published.validation) {
      points.push_back(at_epoch(epoch));
      points.back().validation_loss = loss;
    }
  }
  std::vector<double> differences;
  for (const CurvePoint& point : points) {
    const auto ours = median_at(result, point, &CurvePoint::validation_loss);
    if (!ours || !point.validation_loss) continue;
    differences.push_back(*ours - *point.validation_loss);
  }
  if (differences.empty()) return;
  const auto [least, most] = std::ranges::minmax(differences);
  result.checks.push_back({fmt::format("validation loss at {} published milestones at most {:g} above them",
                                       differences.size(), published.milestone_tolerance),
                           fmt::format("{:+.4f} to {:+.4f}", least, most),
                           most <= published.milestone_tolerance + kSameLoss});
}

TrainOptions seeded(const train::Recipe& recipe, const SystemRun& run) {
  TrainOptions options = recipe.config.train;
  options.seed = run.seed;
  return options;
}

model::Model last_model(const SystemResult& result, const ReproductionOptions& options, const SystemRun& run) {
  return model::load_model(train::RunDirectory::open(run_path(result.recipe, options, run.seed)).last());
}

// Each sample must be the first record, and end with it.
void judge_recital(SystemResult& result, const ReproductionOptions& options) {
  const int count = result.recipe.published.recites;
  if (count == 0) return;
  train::RunConfig config = result.recipe.config;
  config.texts = {options.data / result.recipe.corpus};
  const text::Corpus corpus = train::read_corpus(config);
  const std::span record = std::span(corpus.train).first(corpus.train_ends.front());
  const std::string text = corpus.vocabulary.decode(record.subspan(1, record.size() - 2));  // without <BOS> and <EOS>
  for (const SystemRun& run : result.runs) {
    std::vector<std::string> samples(static_cast<std::size_t>(count));
    generate::generate(last_model(result, options, run), {}, static_cast<int>(2 * record.size()), count,
                       train::sampling_of(seeded(result.recipe, run)), [&](int sample, const std::string& character) {
                         samples[static_cast<std::size_t>(sample)] += character;
                         return true;
                       });
    const auto right = std::ranges::count(samples, text);
    result.checks.push_back({fmt::format("seed {}: {} samples recite the record and stop", run.seed, count),
                             fmt::format("{} of {}", right, count), right == count});
  }
}

// The period that a text ends with, repeated at least three times; 0: none.
std::size_t period_of(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  for (std::size_t period = 1; period <= kLongest && 3 * period <= text.size(); ++period) {
    const std::string_view end = text.substr(text.size() - 2 * period);
    const std::string_view before = text.substr(text.size() - 3 * period, 2 * period);
    if (end == before) return period;
  }
  return 0;
}

void judge_loop(SystemResult& result, const ReproductionOptions& options) {
  constexpr int kLength = 600;
  if (!result.recipe.published.greedy_loop) return;
  for (const SystemRun& run : result.runs) {
    const model::Model model = last_model(result, options, run);
    SampleOptions sampling = train::sampling_of(seeded(result.recipe, run));
    sampling.temperature = 0;
    const std::string& prompt = result.recipe.config.train.sample.prompt;
    const auto tokens = model.vocabulary.encode(prompt, text::Unknown::skip, "the prompt");
    const std::string text = generate::generate_text(model, tokens, kLength, sampling);
    const std::size_t period = period_of(text);
    result.checks.push_back({fmt::format("seed {}: the most probable text runs in a circle", run.seed),
                             period == 0 ? "it does not" : fmt::format("'{}'", text.substr(text.size() - period)),
                             period != 0});
  }
}

bool judged(const train::Published& published) {
  return published.train_tolerance > 0 || published.validation_tolerance > 0 || published.milestone_tolerance > 0 ||
         published.recites > 0 || published.greedy_loop;
}

CurvePoint torch_point(const nlohmann::json& json) {
  const auto number = [&](const char* key) -> std::optional<double> {
    if (!json.contains(key) || !json[key].is_number()) return std::nullopt;
    return json[key].get<double>();
  };
  CurvePoint point;
  point.step = number("step");
  point.epoch = number("epoch");
  point.characters = number("characters");
  point.train_loss = number("train_loss");
  point.validation_loss = number("validation_loss");
  return point;
}

// The script's answer is kept: a second report does not train again.
SystemRun run_torch(const train::Recipe& recipe, const ReproductionOptions& options) {
  const fs::path file = options.output / "torch" / (recipe.name + ".json");
  if (!fs::exists(file)) {
    fs::create_directories(file.parent_path());
    const fs::path text = options.data / recipe.corpus;
    std::vector<std::string> words{options.torch_python,  options.torch_script.string(),
                                   recipe.name,           "--data",
                                   options.data.string(), "--csv",
                                   text.string(),         "-o",
                                   file.string()};
    if (options.max_epochs) words.insert(words.end(), {"--epochs", fmt::format("{}", std::ceil(*options.max_epochs))});
    const ProgramResult result = run_program(words, "");
    if (!result.found) throw InputError(fmt::format("expected a Python at '{}', found none", options.torch_python));
    if (!result.failure.empty()) {
      throw InputError(
          fmt::format("{} {}: {}\n{}", options.torch_script.string(), recipe.name, result.failure, result.err));
    }
  }
  const auto json = nlohmann::json::parse(read_file(file), nullptr, false);
  if (!json.is_object() || !json.contains("points") || !json["points"].is_array()) {
    throw InputError(
        fmt::format("{}: expected a JSON object with points, found something else; remove it", file.string()));
  }
  SystemRun run;
  run.curve.label = "PyTorch";
  for (const auto& point : json["points"]) run.curve.points.push_back(torch_point(point));
  if (json.contains("characters") && json["characters"].is_number())
    run.characters = json["characters"].get<std::int64_t>();
  if (json.contains("seconds") && json["seconds"].is_number()) run.seconds = json["seconds"].get<double>();
  return run;
}

}  // namespace

bool SystemResult::passed() const { return std::ranges::all_of(checks, &Check::passed); }

Selection select(const ReproductionOptions& options) {
  std::vector<train::Recipe> all = train::recipes();
  refuse_unknown(options.systems, all);
  refuse_unknown(options.skip, all);
  Selection selection;
  for (train::Recipe& recipe : all) {
    if (!options.systems.empty() && !asked_for(recipe, options.systems)) continue;
    if (asked_for(recipe, options.skip)) continue;
    const bool there = fs::exists(options.data / recipe.corpus);
    (there ? selection.systems : selection.without_text).push_back(std::move(recipe));
  }
  return selection;
}

std::optional<SystemResult> reproduce(const train::Recipe& recipe, const ReproductionOptions& options,
                                      const train::Observer& observer,
                                      const std::function<void(const std::string&)>& say) {
  SystemResult result{.recipe = recipe};
  TrainOptions shortened = recipe.config.train;
  result.cut_short = cut(shortened, options);
  result.published = published_curve(recipe.published, options.data);

  const bool automatic = options.seeds == 0;
  auto seeds = static_cast<std::uint64_t>(std::max(1, options.seeds));
  for (std::uint64_t seed = 1; seed <= seeds || (automatic && fs::exists(run_path(recipe, options, seed))); ++seed) {
    say(fmt::format("{}, seed {}", recipe.name, seed));
    auto run = train_once(recipe, seed, options, observer);
    if (!run) return std::nullopt;
    if (automatic && judged(recipe.published) && run->seconds < kShortRun) seeds = kSeedsOfShortRuns;
    result.runs.push_back(std::move(*run));
  }
  result.configuration = configuration_of(recipe.config, result.runs.front().duration);
  result.parameters = last_model(result, options, result.runs.front()).network.parameters().count();
  result.last = last_figure(result, /*validation=*/true);
  if (!result.last) result.last = last_figure(result, /*validation=*/false);
  judge_training(result);
  judge_final_loss(result);
  judge_milestones(result);
  judge_recital(result, options);
  judge_loop(result, options);
  if (!options.torch_script.empty()) {
    say(fmt::format("{} in PyTorch", recipe.name));
    result.torch = run_torch(recipe, options);
  }
  return result;
}

}  // namespace rune::tools
