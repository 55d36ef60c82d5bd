#pragma once

#include <filesystem>

#include <rune/options.h>
#include <nlohmann/json.hpp>

namespace rune::test {

/// What check.py needs to build the same model.
nlohmann::json describe(const ModelOptions& options, int vocabulary_size);

/// One block of tokens by every kind of model. Metadata kind = model: the parameters, inputs, targets (T,B), initial.*,
/// dropout.<layer> (T,B,H), and from the engine (f32) and the twin (f64) evaluation.{logits,losses,hidden,cell} and
/// training.{losses,hidden,cell,gradient.<parameter>}.
void dump_model_cases(const std::filesystem::path& folder);

/// A hundred steps with every optimiser and schedule. Metadata kind = training: the parameters, inputs and targets
/// (blocks,T,B), learning_rates (steps), and trained.<parameter>.
void dump_training_cases(const std::filesystem::path& folder);

/// The Nietzsche recipes, each with all its epochs in about fifty steps on a small text: the parameters, the blocks of
/// every epoch (training.<epoch>.<block>.{inputs,targets}) and of the validation (validation.<block>.*), report.{step,
/// train_loss,validation_loss} of every epoch, and trained.<parameter>; and initial_*: the parameters at their own
/// size.
void dump_recipe_cases(const std::filesystem::path& folder);

}  // namespace rune::test
