#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/file.h"
#include "tools/document.h"
#include "tools/numbers.h"
#include "tools/picture.h"
#include "tools/plot.h"
#include "tools/reproduction.h"

namespace rune::tools {
namespace {

constexpr std::size_t kRowsOfATable = 24;  // of a longer course, so many points are shown

std::string shown(const std::optional<double>& loss) { return loss ? loss_text(*loss) : "–"; }

std::string verdict(const SystemResult& result) {
  if (result.checks.empty()) return "not judged";
  return result.passed() ? "reached" : "missed";
}

// A row of the first table.
std::vector<std::string> summary(const SystemResult& result) {
  const SystemRun& first = result.runs.front();
  std::vector<std::string> row{result.recipe.name, verdict(result) + (result.cut_short ? ", cut short" : "")};
  if (const auto& last = result.last) {
    row.insert(row.end(),
               {fmt::format("{}, epoch {:g}", last->validation ? "validation" : "train", last->epoch),
                loss_text(last->published), loss_text(last->found), fmt::format("{:+.1f} %", 100 * last->off())});
  } else {
    const CurvePoint& end = first.curve.points.back();
    row.insert(row.end(),
               {fmt::format("{}, epoch {:.0f}", end.validation_loss ? "validation" : "train", end.epoch.value_or(0)),
                "–", shown(end.validation_loss ? end.validation_loss : end.train_loss), "–"});
  }
  row.insert(row.end(), {fmt::format("{}", result.runs.size()), with_commas(result.parameters),
                         with_commas(first.characters), as_time(first.seconds)});
  return row;
}

// Every so many points, and the last one.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points) {
  if (points.size() <= kRowsOfATable) return points;
  std::vector<CurvePoint> some;
  const std::size_t every = (points.size() + kRowsOfATable - 1) / kRowsOfATable;
  for (std::size_t i = every - 1; i < points.size(); i += every) some.push_back(points[i]);
  if (points.size() % every != 0) some.push_back(points.back());
  return some;
}

void add_comparison(Document& document, const SystemResult& result) {
  const std::vector<CurvePoint> all =
      result.published.points.empty() ? result.runs.front().curve.points : result.published.points;
  std::vector<CurvePoint> met;
  std::ranges::copy_if(all, std::back_inserter(met),
                       [&](const CurvePoint& point) { return point_at(result.runs.front().curve, point) != nullptr; });
  std::vector<std::string> header{"at", "train, published", "validation, published"};
  for (const SystemRun& run : result.runs) {
    header.push_back(fmt::format("train, {}", run.curve.label));
    header.push_back(fmt::format("validation, {}", run.curve.label));
  }
  if (result.torch) header.insert(header.end(), {"train, PyTorch", "validation, PyTorch"});
  std::vector<std::vector<std::string>> rows;
  for (const CurvePoint& point : thinned(met)) {
    std::vector<std::string> row{point.step ? fmt::format("step {:.0f}", *point.step)
                                            : fmt::format("epoch {:g}", point.epoch.value_or(0))};
    const bool published = !result.published.points.empty();
    row.push_back(shown(published ? point.train_loss : std::nullopt));
    row.push_back(shown(published ? point.validation_loss : std::nullopt));
    const auto add = [&](const Curve& curve) {
      const CurvePoint* const ours = point_at(curve, point);
      row.push_back(shown(ours != nullptr ? ours->train_loss : std::nullopt));
      row.push_back(shown(ours != nullptr ? ours->validation_loss : std::nullopt));
    };
    for (const SystemRun& run : result.runs) add(run.curve);
    if (result.torch) add(result.torch->curve);
    rows.push_back(std::move(row));
  }
  if (!rows.empty()) document.table(header, rows);
}

// The axis that all curves of a system know.
Axis axis_of(const SystemResult& result) {
  const auto knows_steps = [](const Curve& curve) {
    return std::ranges::all_of(curve.points, [](const CurvePoint& point) { return point.step.has_value(); });
  };
  return result.published.points.empty() || knows_steps(result.published) ? Axis::steps : Axis::epochs;
}

void add_picture(Document& document, const SystemResult& result, const ReproductionOptions& options) {
  std::vector<Curve> curves;
  curves.reserve(result.runs.size() + 2);
  for (const SystemRun& run : result.runs) curves.push_back(run.curve);
  if (result.torch) curves.push_back(result.torch->curve);
  // A published course of one or two points is no line.
  if (result.published.points.size() > 2) curves.push_back(result.published);
  PlotOptions plot;
  plot.by = axis_of(result);
  plot.title = result.recipe.name;
  const std::string svg = render_svg(curves, plot);
  const std::string file = result.recipe.name + ".svg";
  write_file_atomically(options.output / file, svg);
  document.picture(svg, file, fmt::format("Losses of {}", result.recipe.name));
}

void add_system(Document& document, const SystemResult& result, const ReproductionOptions& options) {
  document.heading(2, result.recipe.name);
  document.paragraph(result.recipe.summary + ".");
  document.paragraph(fmt::format("{}.", result.configuration));
  const SystemRun& first = result.runs.front();
  std::string figures = fmt::format("{} parameters; {} characters trained in {}", with_commas(result.parameters),
                                    with_commas(first.characters), as_time(first.seconds));
  if (result.torch) figures += fmt::format("; PyTorch took {}", as_time(result.torch->seconds));
  if (result.cut_short) figures += fmt::format("; cut short after epoch {:g}", options.max_epochs.value_or(0));
  document.paragraph(figures + ".");
  if (!result.recipe.published.note.empty()) document.paragraph(result.recipe.published.note);
  std::vector<std::string> checks;
  checks.reserve(result.checks.size());
  for (const Check& check : result.checks) {
    checks.push_back(fmt::format("{}: {}: {}", check.passed ? "reached" : "missed", check.what, check.found));
  }
  if (!checks.empty()) document.items(checks);
  add_picture(document, result, options);
  add_comparison(document, result);
  constexpr std::string_view kWhen[] = {"Early", "Midway", "At the end"};
  for (std::size_t i = 0; i < first.samples.size(); ++i) {
    const bool last = i + 1 == first.samples.size();
    document.paragraph(fmt::format("{}:", kWhen[last ? 2 : i]));
    document.preformatted(first.samples[i]);
  }
}

}  // namespace

void write_report(const std::vector<SystemResult>& results, const Selection& selection,
                  const ReproductionOptions& options) {
  Document document("Reference systems, reproduced");
  document.paragraph(
      "Losses are nats per character. Training losses are means since the line before, with dropout where there is "
      "any; "
      "they are shown, not judged, unless a line says otherwise. Where several seeds were trained, their median is "
      "judged. Times are minutes and seconds.");
  std::vector<std::vector<std::string>> rows;
  rows.reserve(results.size());
  for (const SystemResult& result : results) rows.push_back(summary(result));
  document.table(
      {"system", "verdict", "loss", "published", "rune", "off by", "seeds", "parameters", "characters", "time"}, rows);
  std::vector<std::string> left_out;
  left_out.reserve(selection.without_text.size());
  for (const train::Recipe& recipe : selection.without_text) {
    left_out.push_back(fmt::format("{}: left out, no {} in the data directory", recipe.name, recipe.corpus));
  }
  for (const train::Recipe& recipe : selection.systems) {
    if (std::ranges::none_of(results, [&](const SystemResult& r) { return r.recipe.name == recipe.name; })) {
      left_out.push_back(fmt::format("{}: not finished", recipe.name));
    }
  }
  for (const std::string& name : options.skip) left_out.push_back(fmt::format("{}: left out as asked for", name));
  if (!left_out.empty()) document.items(left_out);
  for (const SystemResult& result : results) add_system(document, result, options);
  write_file_atomically(options.output / "report.md", document.markdown());
  write_file_atomically(options.output / "report.html", document.html());
}

}  // namespace rune::tools
