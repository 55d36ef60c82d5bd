#include "tools/program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fmt/format.h>
#include <rune/error.h>

namespace rune::tools {
namespace {

[[noreturn]] void fail(std::string_view what, const std::string& program, int cause) {
  throw FileError(fmt::format("could not {} '{}': {}", what, program, std::generic_category().message(cause)));
}

// A file without a name, to be one of another program's standard streams. Unlike a pipe it holds all of it at once:
// nobody waits for the other side, and a program that ends before it has read its input does no harm.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& program)
      : program_(program), descriptor_(::memfd_create("stream", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail("make a file in memory for", program_, errno);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }

  // Leaves the offset at the beginning, where the program reads on.
  void write(std::string_view content) const {
    for (std::size_t done = 0; done < content.size();) {
      const ssize_t count =
          ::pwrite(descriptor_, content.data() + done, content.size() - done, static_cast<off_t>(done));
      if (count < 0 && errno != EINTR) fail("write the input of", program_, errno);
      if (count > 0) done += static_cast<std::size_t>(count);
    }
  }
  [[nodiscard]] std::string read() const {
    std::string content;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t count = ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(content.size()));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("read the output of", program_, errno);
      if (count == 0) return content;
      content.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  const std::string& program_;
  int descriptor_;
};

}  // namespace

ProgramResult run_program(std::vector<std::string> words, std::string_view input) {
  const MemoryFile in(words[0]);
  const MemoryFile out(words[0]);
  const MemoryFile err(words[0]);
  in.write(input);

  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_adddup2(&streams, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&streams, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&streams, err.descriptor(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, argv[0], &streams, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&streams);
  if (error == ENOENT) return {.found = false, .failure = "not found", .out = {}, .err = {}};
  if (error != 0) fail("start", words[0], error);

  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("wait for", words[0], errno);
  }
  ProgramResult result{.found = true, .failure = {}, .out = out.read(), .err = err.read()};
  if (WIFSIGNALED(status)) {
    result.failure = fmt::format("signal {}", WTERMSIG(status));
  } else if (status != 0) {
    result.failure = fmt::format("exit code {}", WEXITSTATUS(status));
  }
  return result;
}

}  // namespace rune::tools
