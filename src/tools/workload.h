#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rune/options.h>

namespace rune::tools {

/// Something that is measured: a model, and what is done with it. Its text is drawn at random, since speed does not
/// depend on what a text says.
struct Workload {
  enum class Task { train, evaluate, write };

  std::string name;
  Task task = Task::train;
  int vocabulary_size = 0;
  ModelOptions model;
  TrainOptions train;  // write: batch_size texts at once, sequence_length characters of each

  bool operator==(const Workload&) const = default;
};
std::string_view to_string(Workload::Task task);

/// "LSTM 2 x 512".
std::string summary(const ModelOptions& model);
/// "train LSTM 2 x 512, 128 streams x 100".
std::string summary(const Workload& workload);

/// All of them. The reference systems' own sizes, and what their users do with them.
std::vector<Workload> workloads();
/// Throws InputError with a suggestion if there is none of that name.
Workload find_workload(std::string_view name);

/// What to measure instead of a workload's own shape; what is unset stays.
struct Shape {
  std::optional<Cell> cell;
  std::optional<int> layers;
  std::optional<int> hidden_size;
  std::optional<int> embedding;
  std::optional<int> vocabulary_size;
  std::optional<int> batch_size;
  std::optional<int> sequence_length;
};
/// Throws InputError for a shape that no model has.
Workload reshaped(Workload workload, const Shape& shape);

/// Multiply-adds for one character forward; backward takes twice as many. The input costs none: it is looked up.
double forward_multiply_adds(const ModelOptions& options, int vocabulary_size);

}  // namespace rune::tools
