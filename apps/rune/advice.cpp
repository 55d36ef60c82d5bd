#include "advice.h"

#include <fmt/format.h>

#include "output.h"

namespace rune::app {
namespace {

// An order of magnitude between the number of parameters and that of characters is worth a word.
constexpr std::int64_t kFarApart = 10;
// Below this, a validation loss says little: it moves with every sentence.
constexpr std::int64_t kFewCharacters = 5000;
// Validation loss over training loss.
constexpr double kOverfitting = 1.1;
constexpr double kUnderfitting = 1.03;

}  // namespace

std::string advice_before(std::int64_t parameters, std::int64_t characters, std::int64_t validation_characters) {
  std::string advice;
  if (parameters > kFarApart * characters) {
    advice += fmt::format(
        "Advice: {} parameters are many for {} characters, and may learn them by heart.\n"
        "        Watch the validation loss; a smaller --hidden-size or more --dropout helps.\n",
        with_commas(parameters), with_commas(characters));
  } else if (characters > kFarApart * parameters) {
    advice += fmt::format(
        "Advice: {} parameters are few for {} characters, and cannot hold all there is to learn.\n"
        "        A larger --hidden-size, as large as you can wait for, writes better.\n",
        with_commas(parameters), with_commas(characters));
  }
  if (validation_characters > 0 && validation_characters < kFewCharacters) {
    advice += fmt::format(
        "Advice: {} characters of validation are few, so their loss is noisy;\n"
        "        a longer text or a larger --validation-fraction makes it steadier.\n",
        with_commas(validation_characters));
  }
  return advice;
}

std::string advice_after(const train::Report& last) {
  if (!last.validation) return "";
  const double ratio = last.validation->loss / last.train_loss;
  if (ratio > kOverfitting) {
    return "Advice: the validation loss is well above the training loss, so the model overfits:\n"
           "        more --dropout, a smaller --hidden-size or a longer text helps.\n";
  }
  if (ratio < kUnderfitting) {
    return "Advice: the validation loss is about the training loss, so the model underfits:\n"
           "        a longer training, a larger --hidden-size or another layer helps.\n";
  }
  return "";
}

}  // namespace rune::app
