#pragma once

#include <span>
#include <string_view>

#include "rune/options.h"

namespace rune::tools {

/// Something that is measured: a model, and what is done with it. Its text is drawn at random, since speed does not
/// depend on what a text says.
struct Workload {
  enum class Task { train, evaluate, write };

  std::string_view name;
  std::string_view summary;
  Task task = Task::train;
  std::string_view recipe;  // says what the model is and how it is trained
  int vocabulary_size = 0;
  int batch_size = 1;       // write: texts at once
  int sequence_length = 1;  // write: characters of each text
};

/// All of them. The reference systems' own sizes, and what their users do with them.
std::span<const Workload> workloads();
/// Throws InputError with a suggestion if there is none of that name.
const Workload& find_workload(std::string_view name);

/// Multiply-adds for one character forward; backward takes twice as many. The input costs none: it is looked up.
double forward_multiply_adds(const ModelOptions& options, int vocabulary_size);

}  // namespace rune::tools
