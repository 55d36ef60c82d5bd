#include "server/live_run.h"

#include <utility>

#include "generate/generator.h"
#include "server/error.h"
#include "server/json.h"
#include "server/worker.h"
#include "text/vocabulary.h"

namespace rune::server {

LiveRun::~LiveRun() {
  for (const Asked& asked : asked_) {
    asked.deferred.set(response_of(ApiError(409, "the training has ended", "", "not_live")));
  }
}

void LiveRun::after_step(const train::Progress& progress, const train::Trainer& trainer) {
  std::vector<Asked> asked;
  {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
    asked = std::exchange(asked_, {});
  }
  for (const auto& [request, deferred] : asked) {
    if (deferred.abandoned()) continue;
    deferred.set(guarded([&] {
                   const model::Model& model = trainer.model();
                   const auto prompt = model.vocabulary.encode(request.prompt, text::Unknown::error, "the prompt");
                   const SampleOptions options{.temperature = request.temperature, .seed = request.seed};
                   const std::string text = generate::generate_text(model, prompt, request.length, options);
                   return Reply{.response = json_response({{"step", progress.step}, {"text", request.prompt + text}}),
                                .pending = nullptr};
                 }).response);
  }
}

train::Progress LiveRun::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Reply LiveRun::request_sample(const SampleRequest& request) {
  constexpr std::size_t kMostWaiting = 8;
  const Deferred deferred;
  const std::lock_guard lock(mutex_);
  if (asked_.size() >= kMostWaiting) {
    throw ApiError(503, "too many samples are waiting; try again in a moment", "", "queue_full");
  }
  asked_.push_back({request, deferred});
  return {.response = {}, .pending = deferred.pending()};
}

}  // namespace rune::server
