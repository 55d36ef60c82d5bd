#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/engine.h"
#include "server/http.h"
#include "server/models.h"
#include "server/requests.h"
#include "server/states.h"

namespace rune::server {

/// What completions, scores and distributions are made with. All of it outlives the requests.
struct Workshop {
  const Models& models;
  Engine& engine;
  States& states;
  RequestLimits limits;
};

// Each begins the work and returns what will be its answer. Throws ApiError.

/// Texts, in OpenAI's form, whole or as server-sent events.
Reply complete(const CompletionRequest& request, const Workshop& workshop);
/// The surprise of each character of a text.
Reply score(const ScoreRequest& request, const Workshop& workshop);
/// What comes next, the most probable first.
Reply expect_next(const NextRequest& request, const Workshop& workshop);

}  // namespace rune::server
