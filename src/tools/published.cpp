#include "tools/published.h"

#include <map>

namespace rune::tools {
namespace {

Curve from_points(const train::Published& published) {
  std::map<double, CurvePoint> points;
  for (const auto& [epoch, loss] : published.train) points[epoch].train_loss = loss;
  for (const auto& [epoch, loss] : published.validation) points[epoch].validation_loss = loss;
  Curve curve;
  for (const auto& entry : points) {
    curve.points.push_back(entry.second);
    curve.points.back().epoch = entry.first;
  }
  return curve;
}

}  // namespace

Curve published_curve(const train::Published& published, const std::filesystem::path& data) {
  const std::filesystem::path file = data / published.curve;
  const bool there = !published.curve.empty() && std::filesystem::exists(file);
  Curve curve = there ? read_csv(file, published.curve_system) : from_points(published);
  curve.label = "published";
  // Beside a step the epoch is only the number of the one that the step lies in.
  for (CurvePoint& point : curve.points) {
    if (point.step) point.epoch.reset();
  }
  return curve;
}

}  // namespace rune::tools
