// A request to `rune serve`: bytes of a connection to an answer, by parser, guard, routes and bodies; no file is there.
#include <utility>
#include <vector>

#include "model/model.h"
#include "server/http_server.h"
#include "server/service.h"
#include "target.h"

namespace {

rune::server::Service& service() {
  using namespace rune;
  static server::Service* const kService = [] {
    const ModelOptions options{.cell = Cell::gru, .layers = 1, .hidden_size = 2};
    auto model = std::make_shared<const model::Model>(model::new_model(options, text::Vocabulary(U"\nabé"), 1));
    server::ServiceOptions service_options;
    service_options.runs_folder = "/nowhere";
    service_options.engine = {.threads = 1, .texts = 16, .queue = 4};
    service_options.limits = {.tokens = 16, .prompt_tokens = 4096, .texts = 8};
    service_options.states = {.lifetime = std::chrono::seconds(600), .count = 4};
    std::vector<server::ServedModel> models;
    models.push_back({"m", std::move(model), 1});
    return new server::Service(server::Models(std::move(models)), std::move(service_options));
  }();
  return *kService;
}

// As a connection does it, but that the engine works here.
void serve(std::string_view bytes, const rune::server::HttpOptions& options) {
  using namespace rune;
  const server::Handler handler = service().handler();
  const auto parsed = server::parse_request(bytes, options);
  if (const unsigned* const status = std::get_if<unsigned>(&parsed)) {
    fuzz::require(*status >= 400 && *status < 500);
    return;
  }
  const auto& request = std::get<server::Request>(parsed);
  fuzz::require(request.body.size() <= options.body_bytes && request.target.size() <= options.target_bytes);
  if (handler.refuse(request)) return;
  server::Reply reply = handler.answer(request);
  fuzz::require(reply.response.status != 500);
  if (reply.pending == nullptr || request.path().starts_with("/api/")) return;
  server::Response response;
  for (bool busy = true; !reply.pending->take(response); busy = service().engine().step()) fuzz::require(busy);
  fuzz::require(response.status != 500);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rune;
  const server::HttpOptions options{.header_bytes = 2048, .target_bytes = 256, .body_bytes = 4096};
  service();
  fuzz::accepts(size, /*multiple=*/1024, /*fixed=*/2 << 20, [&] { serve(fuzz::as_text(data, size), options); });
  return 0;
}
