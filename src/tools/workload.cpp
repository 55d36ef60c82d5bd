#include "tools/workload.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "model/cell.h"
#include "model/parameters.h"
#include "rune/error.h"
#include "train/option_text.h"
#include "train/recipe.h"
#include "train/train_options.h"

namespace rune::tools {
namespace {

using enum Workload::Task;

struct Row {
  std::string_view name;
  Workload::Task task;
  std::string_view recipe;  // says what the model is and how it is trained
  int vocabulary_size;
  int batch_size;
  int sequence_length;
};

constexpr Row kWorkloads[] = {
    {"anna", train, "anna", 83, 128, 100},
    {"holmes-1", train, "holmes-1", 100, 1, 25},
    {"holmes-2", train, "holmes-2-200", 100, 1, 200},
    {"nietzsche-9", train, "nietzsche-9", 56, 64, 8},
    {"nietzsche-9-512", train, "nietzsche-9", 56, 512, 8},
    {"nietzsche-10", train, "nietzsche-10", 56, 64, 8},
    {"tweets", train, "tweets", 120, 32, 80},
    {"evaluate", evaluate, "anna", 83, 128, 100},
    {"write", write, "anna", 83, 1, 100},
    {"write-gru", write, "holmes-1", 100, 1, 1000},
    {"write-64", write, "anna", 83, 64, 25},
};

// Beyond it an alphabet of consecutive characters would reach the surrogates, which are none.
constexpr int kLargestAlphabet = 50'000;

Workload workload_of(const Row& row) {
  const train::RunConfig config = train::find_recipe(std::string(row.recipe)).config;
  Workload workload{std::string(row.name), row.task, row.vocabulary_size, config.model, config.train};
  workload.train.batch_size = row.batch_size;
  workload.train.sequence_length = row.sequence_length;
  return workload;
}

std::string upper_case(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

std::string_view to_string(Workload::Task task) {
  switch (task) {
    case train:
      return "train";
    case evaluate:
      return "evaluate";
    case write:
      return "write";
  }
  return "";
}

std::string summary(const ModelOptions& model) {
  return fmt::format("{} {} x {}", upper_case(model::name_of(model.cell)), model.layers, model.hidden_size);
}

std::string summary(const Workload& workload) {
  const bool writes = workload.task == write;
  const std::string_view side_by_side = writes                                         ? "texts"
                                        : workload.train.batching == Batching::records ? "records"
                                                                                       : "streams";
  return fmt::format("{} {}, {} {} x {}", to_string(workload.task), summary(workload.model), workload.train.batch_size,
                     workload.train.batch_size == 1 ? side_by_side.substr(0, side_by_side.size() - 1) : side_by_side,
                     workload.train.sequence_length);
}

std::vector<Workload> workloads() {
  std::vector<Workload> all;
  std::ranges::transform(kWorkloads, std::back_inserter(all), workload_of);
  return all;
}

Workload find_workload(std::string_view name) {
  const auto found = std::ranges::find(kWorkloads, name, &Row::name);
  if (found != std::end(kWorkloads)) return workload_of(*found);
  std::vector<std::string_view> names;
  for (const Row& row : kWorkloads) names.push_back(row.name);
  throw InputError(
      fmt::format("unknown workload '{}'{}\nrune bench --list shows them", name, train::suggestion(name, names)));
}

Workload reshaped(Workload workload, const Shape& shape) {
  workload.model.cell = shape.cell.value_or(workload.model.cell);
  workload.model.layers = shape.layers.value_or(workload.model.layers);
  workload.model.hidden_size = shape.hidden_size.value_or(workload.model.hidden_size);
  workload.model.embedding = shape.embedding.value_or(workload.model.embedding);
  workload.vocabulary_size = shape.vocabulary_size.value_or(workload.vocabulary_size);
  workload.train.batch_size = shape.batch_size.value_or(workload.train.batch_size);
  workload.train.sequence_length = shape.sequence_length.value_or(workload.train.sequence_length);
  model::validate(workload.model);
  train::validate(workload.train);
  if (workload.vocabulary_size < 1 || workload.vocabulary_size > kLargestAlphabet) {
    throw InputError(
        fmt::format("expected a vocabulary size from 1 to {}, found {}", kLargestAlphabet, workload.vocabulary_size));
  }
  return workload;
}

double forward_multiply_adds(const ModelOptions& options, int vocabulary_size) {
  const double hidden = options.hidden_size;
  const model::CellTraits& cell = model::traits_of(options.cell);
  const double product = static_cast<double>(cell.gates) * hidden * hidden;
  const int products = (cell.recurrent ? 1 : 0) + (cell.inner == model::Inner::product ? 1 : 0);
  return (options.layers * products + options.layers - 1) * product + hidden * vocabulary_size;
}

}  // namespace rune::tools
