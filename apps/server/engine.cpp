#include "server/engine.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <rune/error.h>

#include "base/random.h"
#include "generate/generator.h"
#include "generate/sampler.h"
#include "text/vocabulary.h"

namespace rune::server {

std::size_t Snapshot::bytes() const {
  std::size_t floats = logits.values().size();
  for (const auto* layers : {&state.hidden, &state.cell}) {
    for (const Matrix& layer : *layers) floats += layer.values().size();
  }
  return sizeof *this + floats * sizeof(float);
}

/// One text of a job.
struct Engine::Row {
  std::shared_ptr<const Job> job;
  std::size_t text;
  generate::Sampler sampler;
  RandomStream random;
  std::optional<std::size_t> slot;  // its stream in the batch's state; none yet: where the job starts from
  std::size_t read = 0;             // tokens of the job's reading
  std::int64_t written = 0;
  std::int32_t token = 0;     // what it reads next
  bool begun = false;         // it writes
  std::optional<End> ending;  // it has ended, but reads its last token for the snapshot
};

/// The texts that share the steps of a model.
struct Engine::Batch {
  explicit Batch(std::shared_ptr<const model::Model> shared)
      : model(std::move(shared)),
        vocabulary_size(static_cast<std::size_t>(model->network.vocabulary_size())),
        end_token(model->vocabulary.token(text::Symbol::end)),
        state(model->network.options(), 0) {}

  [[nodiscard]] std::span<const float> logits_of(const Row& row) const {
    return {row.slot ? logits.row(*row.slot) : row.job->from->logits.row(0), vocabulary_size};
  }
  /// Whether it is known what comes next in a row: not before its first token has been read.
  static bool expects(const Row& row) { return row.slot || row.job->from; }
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot(const Row& row) const;
  /// The rows are no longer those of the state: moves their streams to a new one.
  void rearrange();

  std::shared_ptr<const model::Model> model;
  std::size_t vocabulary_size;
  std::int32_t end_token;  // -1: none
  std::vector<Row> rows;
  model::State state;  // a stream for each row
  Matrix logits;       // (rows, V)
  std::vector<std::int32_t> tokens;
};

std::shared_ptr<const Snapshot> Engine::Batch::snapshot(const Row& row) const {
  if (!row.job->keeps_snapshot) return nullptr;
  if (!row.slot) return row.job->from;
  auto kept =
      std::make_shared<Snapshot>(Snapshot{model::State(model->network.options(), 1), Matrix(1, vocabulary_size)});
  kept->state.copy_stream(state, static_cast<int>(*row.slot), 0);
  std::ranges::copy(logits_of(row), kept->logits.row(0));
  return kept;
}

void Engine::Batch::rearrange() {
  const auto in_place = [&](std::size_t i) { return rows[i].slot == i; };
  bool same = static_cast<std::size_t>(state.batch_size()) == rows.size();
  for (std::size_t i = 0; same && i < rows.size(); ++i) same = in_place(i);
  if (same) return;
  model::State moved(model->network.options(), static_cast<int>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i];
    if (row.slot) {
      moved.copy_stream(state, static_cast<int>(*row.slot), static_cast<int>(i));
    } else if (row.job->from) {
      moved.copy_stream(row.job->from->state, 0, static_cast<int>(i));
    }
    row.slot = i;
  }
  state = std::move(moved);
  logits = Matrix(rows.size(), vocabulary_size);
}

Engine::Engine(const Options& options) : options_(options) {
  if (options_.threads != 1) team_ = std::make_unique<ThreadTeam>(options_.threads);
}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
  fail_all("the server is shutting down");
}

void Engine::start() { thread_ = std::thread(&Engine::run, this); }

void Engine::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (step()) continue;
    std::unique_lock lock(mutex_);
    work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  }
}

bool Engine::submit(Job job) {
  if (job.texts < 1 || job.texts > options_.texts) {
    throw InputError(fmt::format("expected a job of 1 to {} texts, found {}", options_.texts, job.texts));
  }
  if (job.reading.empty() && !job.from) throw InputError("expected a job to have a token to read, or a state");
  static_cast<void>(generate::Sampler(job.sampling));
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.queue) {
      std::erase_if(waiting_, [](const Job& waiting) { return !waiting.listener->wanted(); });
    }
    if (waiting_.size() >= options_.queue) return false;
    waiting_.push_back(std::move(job));
    statistics_.waiting = waiting_.size();
  }
  work_.notify_one();
  return true;
}

Engine::Batch& Engine::batch_of(const Job& job) {
  const auto found = std::ranges::find(batches_, job.model, [](const auto& batch) { return batch->model; });
  return found != batches_.end() ? **found : *batches_.emplace_back(std::make_unique<Batch>(job.model));
}

// A row of a job that has yet to begin stands for all its texts.
std::size_t Engine::texts() const {
  std::size_t texts = 0;
  for (const auto& batch : batches_) {
    for (const Row& row : batch->rows) texts += row.begun ? 1 : row.job->texts;
  }
  return texts;
}

void Engine::admit() {
  std::size_t texts = this->texts();
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty()) {
    if (!waiting_.front().listener->wanted()) {
      waiting_.pop_front();
      continue;
    }
    if (texts + waiting_.front().texts > options_.texts) break;
    auto job = std::make_shared<const Job>(std::move(waiting_.front()));
    waiting_.pop_front();
    texts += job->texts;
    Batch& batch = batch_of(*job);
    batch.rows.push_back(
        {.job = job,
         .text = 0,
         .sampler = generate::Sampler(job->sampling, generate::never_drawn(batch.model->vocabulary, job->sampling)),
         .random = RandomStream(job->sampling.seed, RandomPurpose::sample, 0)});
  }
  statistics_.waiting = waiting_.size();
}

bool Engine::step() {
  admit();
  for (const auto& batch : batches_) {
    try {
      advance(*batch);
    } catch (const std::exception& error) {  // out of memory
      for (const Row& row : batch->rows) row.job->listener->fails(error.what());
      batch->rows.clear();
    }
  }
  std::erase_if(batches_, [](const auto& batch) { return batch->rows.empty(); });
  statistics_.texts = texts();
  return !batches_.empty() || statistics_.waiting > 0;
}

// 1. every row decides what it reads next, and joins the next step with it, or ends
// 2. streams move to where their rows are now
// 3. one step of the network for all of them
void Engine::advance(Batch& batch) {
  std::vector<Row> rows;
  rows.reserve(batch.rows.size());
  for (Row& row : batch.rows) {
    const auto listener = row.job->listener;
    if (!listener->wanted()) continue;
    try {
      go_on(batch, std::move(row), rows);
    } catch (const std::exception& error) {
      listener->fails(error.what());
    }
  }
  batch.rows = std::move(rows);
  if (batch.rows.empty()) return;
  batch.rearrange();
  batch.tokens.clear();
  for (const Row& row : batch.rows) batch.tokens.push_back(row.token);
  const bool shared = team_ != nullptr && generate::worth_sharing(batch.model->network, batch.rows.size());
  batch.model->network.step(batch.tokens, batch.state, batch.logits, shared ? team_.get() : nullptr);
  ++statistics_.steps;
}

void Engine::go_on(Batch& batch, Row row, std::vector<Row>& rows) {
  const Job& job = *row.job;
  if (row.read < job.reading.size()) {
    if (job.reports_reading && Batch::expects(row)) job.listener->reads(row.read, batch.logits_of(row));
    row.token = job.reading[row.read++];
    ++statistics_.read;
    rows.push_back(std::move(row));
  } else if (row.ending) {
    job.listener->ends(row.text, *row.ending, batch.snapshot(row));
  } else if (row.begun) {
    write(batch, std::move(row), rows);
  } else {  // the prompt has been read: each text goes its own way
    row.begun = true;
    for (std::size_t text = 0; text < job.texts; ++text) {
      Row own = row;
      own.text = text;
      own.random = RandomStream(job.sampling.seed, RandomPurpose::sample, text);
      write(batch, std::move(own), rows);
    }
  }
}

void Engine::write(Batch& batch, Row row, std::vector<Row>& rows) {
  const Job& job = *row.job;
  if (job.length == 0) {
    job.listener->ends(row.text, End::length, batch.snapshot(row));
    return;
  }
  const std::span<const float> logits = batch.logits_of(row);
  row.token = row.sampler.draw(logits, row.random.uniform_double(static_cast<std::uint64_t>(row.written)));
  if (row.token == batch.end_token) {
    job.listener->ends(row.text, End::symbol, batch.snapshot(row));
    return;
  }
  ++row.written;
  ++statistics_.written;
  if (!job.listener->writes(row.text, row.token, logits)) {
    row.ending = End::stop;
  } else if (row.written == job.length) {
    row.ending = End::length;
  }
  if (row.ending && !job.keeps_snapshot) {
    job.listener->ends(row.text, *row.ending, nullptr);
  } else {
    rows.push_back(std::move(row));
  }
}

void Engine::fail_all(const std::string& message) {
  for (const auto& batch : batches_) {
    for (const Row& row : batch->rows) row.job->listener->fails(message);
  }
  for (const Job& job : waiting_) job.listener->fails(message);
  batches_.clear();
  waiting_.clear();
}

}  // namespace rune::server
