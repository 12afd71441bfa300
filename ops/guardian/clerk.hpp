// The guardian's paper work on a thread of its own, so that no disk can hold up a cancel: log
// lines, the latch, and the record of proofs. Room: ops/guardian. Cold.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/runtime/latch.hpp"
#include "ops/app/line_record.hpp"

namespace gimbal::guardian {

class Clerk {
 public:
  // `log_file` empty: standard output. `latches`: this host's latch file is the bot's.
  Clerk(std::string log_file, std::string state_dir, bool latches);
  ~Clerk();
  Clerk(const Clerk&) = delete;
  Clerk& operator=(const Clerk&) = delete;

  [[nodiscard]] Outcome open();
  // One JSON object, without line end.
  void say(std::string json);
  // Latches global CANCEL. latch_text() says what became of it.
  void latch(std::string reason);
  // A proof: said, and kept in STATE_DIR/guardian-proofs.
  void record(std::string json);
  // "PATH (durable)", "NOT DURABLE: ...", "pending", "none".
  [[nodiscard]] std::string latch_text() const;
  [[nodiscard]] bool idle() const;

 private:
  enum class Kind : std::uint8_t { say, latch, record };
  struct Task {
    Kind kind{Kind::say};
    std::string text;
  };
  void add(Kind kind, std::string text);
  void run();
  void carry_out(Task& task);
  void print(const std::string& json);

  std::string log_file_;
  std::string state_dir_;
  bool latches_;
  std::FILE* log_{nullptr};
  LineRecord record_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool busy_{false};
  bool stop_{false};
  std::string latch_text_{"none"};
  std::thread thread_;
};

}  // namespace gimbal::guardian
