#include "check_up_page.h"

#include <algorithm>
#include <numbers>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output.h"
#include "reading_notes.h"
#include "text/duplicates.h"
#include "text/utf8.h"
#include "train/option_text.h"

namespace rune::model {

template <>
inline constexpr std::array<std::string_view, 6> kNames<text::Suspicion::Kind>{"control",    "invisible", "replacement",
                                                                               "unassigned", "mojibake",  "look_alike"};

}  // namespace rune::model

namespace rune::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShown = 12;  // lines of a list

std::string_view meaning(text::Suspicion::Kind kind) {
  switch (kind) {
    case text::Suspicion::Kind::control:
      return "control characters; remove them, unless they mean something";
    case text::Suspicion::Kind::invisible:
      return "characters without a width; --normalize nfkc removes some";
    case text::Suspicion::Kind::replacement:
      return "traces of a faulty conversion; go back to the original, or try another --encoding";
    case text::Suspicion::Kind::unassigned:
      return "code points that are no character, or private ones";
    case text::Suspicion::Kind::mojibake:
      return "UTF-8 that was once read as windows-1252; repair the text";
    case text::Suspicion::Kind::look_alike:
      break;
  }
  return "words of letters from several scripts that look alike";
}

std::string shown(std::string_view text) {
  std::string escaped = in_one_line(text);
  constexpr std::size_t kWide = 60;
  if (text::count_characters(escaped) <= kWide) return escaped;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kWide; ++i) at += text::decode_at(escaped, at).length;
  return escaped.substr(0, at) + "...";
}

std::string title(std::string_view text) { return fmt::format("\n{}\n", text); }
std::string row(std::string_view label, std::string_view value) { return fmt::format("  {:<18}{}\n", label, value); }

std::string shares(std::span<const std::pair<std::string, std::int64_t>> units, std::int64_t all) {
  std::string text;
  for (const auto& [unit, count] : units) {
    text += row("'" + shown(unit) + "'", fmt::format("{:>12}  {:.3g} %", with_commas(count),
                                                     100 * static_cast<double>(count) / static_cast<double>(all)));
  }
  return text;
}

}  // namespace

std::string check_up_page(const tools::CheckUp& check_up, const Suggestion& suggestion, const std::string& arguments) {
  const text::Corpus& corpus = check_up.corpus;
  const std::string_view units = units_name(corpus.vocabulary.form().unit);
  std::string page = "Text\n";
  page += row("files", with_commas(std::ssize(corpus.readings)));
  std::int64_t bytes = 0;
  for (const text::Reading& reading : corpus.readings) bytes += reading.bytes;
  page +=
      row("size", fmt::format("{}, {} {}", as_bytes(static_cast<double>(bytes)), with_commas(corpus.size()), units));
  page += row("encoding", fmt::format("{} ({} % sure)", corpus.readings.front().encoding.name,
                                      corpus.readings.front().encoding.confidence));
  page += row("lines", fmt::format("{}, {} of them repeated", with_commas(check_up.lines),
                                   with_commas(check_up.repeated_lines)));
  if (!corpus.train_ends.empty()) {
    page += row("records", with_commas(std::ssize(corpus.train_ends) + std::ssize(corpus.validation_ends)));
  }
  const std::string notes = reading_notes(corpus);
  if (!notes.empty()) page += title("Reading") + notes;

  page += title(fmt::format("Alphabet: {} different {}, {} of them seen less than three times",
                            with_commas(std::ssize(check_up.units)), units, with_commas(check_up.rare)));
  const auto frequent = std::span(check_up.units).first(std::min(kShown, check_up.units.size()));
  page += shares(frequent, corpus.size());
  if (check_up.units.size() > 2 * kShown)
    page += "  ...\n" + shares(std::span(check_up.units).last(kShown), corpus.size());

  if (!check_up.suspicions.empty()) page += title("Worth a look");
  for (const text::Suspicion& suspicion : check_up.suspicions) {
    page += row(with_commas(suspicion.count),
                fmt::format("{}, first {}", meaning(suspicion.kind), text::describe_unit(suspicion.first)));
  }
  if (!check_up.boilerplate.empty()) page += title("At the ends of files, perhaps not part of the text");
  for (std::size_t i = 0; i < std::min(kShown, check_up.boilerplate.size()); ++i) {
    const auto& [line, files] = check_up.boilerplate[i];
    page += row(fmt::format("in {} file{}", with_commas(files), files == 1 ? "" : "s"), shown(line));
  }

  if (!check_up.entropies.empty()) {
    page += title(fmt::format("Baseline: the loss of guessing from the {} before", units));
    for (std::size_t order = 0; order < check_up.entropies.size(); ++order) {
      const double bits = check_up.entropies[order];
      page += row(fmt::format("{} before", order), fmt::format("{:.3f} bits, {:.4f} nats, perplexity {:.1f}", bits,
                                                               bits * std::numbers::ln2, std::exp2(bits)));
    }
  }
  page += title("Suggestion");
  page += fmt::format("  rune train {} --minutes {:g}\n", arguments, suggestion.plan.train.duration.value);
  const tools::TrainingPlan& plan = suggestion.plan;
  for (const auto& [what, why] : plan.choices) page += fmt::format("    {:<36}{}\n", what, why);
  page += row("speed",
              fmt::format("{} {} a second", with_commas(static_cast<std::int64_t>(plan.characters_per_second)), units));
  page += row("epochs", fmt::format("{:.1f} in {:g} minutes", plan.epochs, plan.train.duration.value));
  page += row("memory", "about " + as_bytes(suggestion.memory));
  return page;
}

std::string check_up_json(const tools::CheckUp& check_up, const Suggestion& suggestion) {
  const text::Corpus& corpus = check_up.corpus;
  Json json;
  for (const text::Reading& reading : corpus.readings) {
    json["files"].push_back(
        {{"name", text::replace_invalid(reading.name)},
         {"encoding", reading.encoding.name},
         {"confidence", reading.encoding.confidence},
         {"bytes", reading.bytes},
         {"characters", reading.characters},
         {"invalid", reading.invalid},
         {"line_ends", {{"lf", reading.lf}, {"crlf", reading.crlf}, {"cr", reading.cr}, {"nel", reading.nel}}}});
  }
  json["unit"] = train::name_of(corpus.vocabulary.form().unit);
  json["tokens"] = corpus.size();
  json["records"] = std::ssize(corpus.train_ends) + std::ssize(corpus.validation_ends);
  json["alphabet_size"] = corpus.vocabulary.size();
  json["rare"] = check_up.rare;
  json["unknown"] = {{"distinct", corpus.unknown.distinct}, {"occurrences", corpus.unknown.occurrences}};
  json["units"] = Json::array();
  for (const auto& [unit, count] : check_up.units) json["units"].push_back({text::replace_invalid(unit), count});
  json["lines"] = check_up.lines;
  json["repeated_lines"] = check_up.repeated_lines;
  json["suspicions"] = Json::array();
  for (const text::Suspicion& suspicion : check_up.suspicions) {
    json["suspicions"].push_back({{"kind", train::name_of(suspicion.kind)},
                                  {"count", suspicion.count},
                                  {"first", text::replace_invalid(suspicion.first)}});
  }
  json["boilerplate"] = Json::array();
  for (const auto& [line, files] : check_up.boilerplate) {
    json["boilerplate"].push_back({{"line", text::replace_invalid(line)}, {"files", files}});
  }
  const text::Copies copies = text::copies_in_validation(corpus);
  json["copies_in_validation"] = {{"copied", copies.copied}, {"of", copies.of}};
  json["entropies"] = check_up.entropies;
  const tools::TrainingPlan& plan = suggestion.plan;
  json["suggestion"] = {{"hidden_size", plan.model.hidden_size},
                        {"layers", plan.model.layers},
                        {"dropout", plan.model.dropout},
                        {"embedding", plan.model.embedding},
                        {"batch_size", plan.train.batch_size},
                        {"sequence_length", plan.train.sequence_length},
                        {"learning_rate", plan.train.optimizer.learning_rate},
                        {"minutes", plan.train.duration.value},
                        {"characters_per_second", plan.characters_per_second},
                        {"epochs", plan.epochs},
                        {"memory", suggestion.memory}};
  return json.dump() + '\n';
}

}  // namespace rune::app
