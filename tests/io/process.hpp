// Programs that a test starts: each has a time limit on every wait and dies with its owner.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace gimbal::test {

using Patience = std::chrono::milliseconds;

// A running program; its standard output and error go to files. The destructor kills it.
class Child {
 public:
  Child() = default;
  Child(const std::vector<std::string>& arguments, const std::string& out, const std::string& err);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  // Exit code, 128 + signal when it was killed; -1 when it still runs after `limit`.
  int wait(Patience limit);
  void signal(int number) const;
  int stop(int number, Patience limit);

 private:
  void end() noexcept;

  pid_t pid_{-1};
  int code_{-1};
  bool reaped_{true};
};

struct Finished {
  int code{-1};
  std::string out;
  std::string err;
};
// Runs to the end, at most `limit`; `directory` takes the two output files.
Finished run_program(const std::vector<std::string>& arguments, const std::string& directory,
                     Patience limit);

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text, unsigned mode = 0600);

// Polls `done` every 20 ms until it is true or `limit` is over.
template <class Done>
bool eventually(Patience limit, Done done) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (done()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    const timespec nap{0, 20'000'000};
    ::nanosleep(&nap, nullptr);
  }
}

// The first number after "key": in a JSON text, and the first string; `missing` when absent.
double number_in(const std::string& json, const std::string& key, double missing = -1e99);
std::string text_in(const std::string& json, const std::string& key);
bool holds(const std::string& text, const std::string& part);
std::size_t occurrences(const std::string& text, const std::string& part);

}  // namespace gimbal::test
