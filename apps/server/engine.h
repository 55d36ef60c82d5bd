#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/matrix.h"
#include "base/thread_team.h"
#include "model/model.h"
#include "rune/options.h"

namespace rune::server {

/// Where a text stands: the state of all layers after what has been read, and what the model expects next. Immutable.
struct Snapshot {
  model::State state;  // of one stream
  Matrix logits;       // (1, V)

  [[nodiscard]] std::size_t bytes() const;
};

/// How a text ended.
enum class End {
  length,  ///< all that was asked for has been written
  stop,    ///< the listener had enough
  symbol,  ///< the model drew the symbol that ends a record
};

/// What comes of a job, said on the engine's thread; logits are valid during the call alone.
class Listener {
 public:
  virtual ~Listener() = default;

  /// False: nobody waits for it any more.
  [[nodiscard]] virtual bool wanted() const = 0;
  /// Before token `index` of the reading is read: what was expected there. Only if the job asks for it.
  virtual void reads(std::size_t index, std::span<const float> logits) = 0;
  /// Text `text` of the job goes on with a token that was drawn from these logits. False: that was enough.
  virtual bool writes(std::size_t text, std::int32_t token, std::span<const float> logits) = 0;
  /// `snapshot`: after all that was read and written, the symbol of the end excepted; null unless the job asks for it.
  virtual void ends(std::size_t text, End end, std::shared_ptr<const Snapshot> snapshot) = 0;
  /// None of the job's texts goes on.
  virtual void fails(const std::string& message) = 0;
};

/// A prompt to read, and one or several texts to write after it.
struct Job {
  std::shared_ptr<const model::Model> model;
  std::shared_ptr<const Snapshot> from;  // where it goes on; null: a zero state
  std::vector<std::int32_t> reading;     // not empty, unless there is a `from`
  bool reports_reading = false;
  std::int64_t length = 0;  // tokens that each text has at most
  std::size_t texts = 1;
  SampleOptions sampling;  // text i is sample i of its seed
  bool keeps_snapshot = false;
  std::shared_ptr<Listener> listener;
};

/// Reads and writes many texts at once: all those of one model share its steps, joining and leaving at any character.
///
/// A text is a function of model, prompt, seed and options, never of what shares its steps. Jobs wait in a queue of
/// bounded length until there is room for all their texts. submit() may be called by any thread; everything else
/// belongs to the engine's own thread, or to the caller of step() where it was not started.
class Engine {
 public:
  struct Options {
    int threads = 0;          // 0: one for each processor
    std::size_t texts = 256;  // written at once, of all models together
    std::size_t queue = 256;  // jobs that wait
  };
  struct Statistics {
    std::atomic<std::uint64_t> steps = 0;
    std::atomic<std::uint64_t> read = 0;     // tokens
    std::atomic<std::uint64_t> written = 0;  // tokens
    std::atomic<std::size_t> texts = 0;      // at this moment
    std::atomic<std::size_t> waiting = 0;    // jobs, at this moment
  };

  explicit Engine(const Options& options);
  /// Ends the thread; jobs that are not done fail.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Gives it a thread of its own.
  void start();
  /// False: the queue is full. Throws InputError if the job does not fit the model or the engine.
  [[nodiscard]] bool submit(Job job);
  /// One character of every text; false: there is nothing to do.
  bool step();

  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  struct Row;
  struct Batch;

  void run();
  void admit();
  [[nodiscard]] std::size_t texts() const;
  Batch& batch_of(const Job& job);
  void advance(Batch& batch);
  void go_on(Batch& batch, Row row, std::vector<Row>& rows);
  void write(Batch& batch, Row row, std::vector<Row>& rows);
  void fail_all(const std::string& message);

  Options options_;
  Statistics statistics_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<std::unique_ptr<Batch>> batches_;  // those with texts

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rune::server
