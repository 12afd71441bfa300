#include "ops/guardian/clerk.hpp"

#include <utility>

#include "engine/runtime/clock.hpp"

namespace gimbal::guardian {

Clerk::Clerk(std::string log_file, std::string state_dir, bool latches)
    : log_file_{std::move(log_file)}, state_dir_{std::move(state_dir)}, latches_{latches} {}

Clerk::~Clerk() {
  {
    const std::scoped_lock lock{mutex_};
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (log_ != nullptr && log_ != stdout) (void)std::fclose(log_);
}

Outcome Clerk::open() {
  log_ = log_file_.empty() ? stdout : std::fopen(log_file_.c_str(), "a");
  if (log_ == nullptr) return Outcome::system("append to", log_file_);
  std::uint64_t damaged = 0;
  const std::string path = state_dir_ + "/guardian-proofs";
  if (Outcome o = record_.open(
          path, [](std::string_view) {}, damaged);
      !o)
    return o;
  thread_ = std::thread{[this] { run(); }};
  return {};
}

void Clerk::add(Kind kind, std::string text) {
  {
    const std::scoped_lock lock{mutex_};
    if (kind == Kind::latch) latch_text_ = "pending";
    tasks_.push_back(Task{kind, std::move(text)});
  }
  wake_.notify_one();
}

void Clerk::say(std::string json) { add(Kind::say, std::move(json)); }
void Clerk::record(std::string json) { add(Kind::record, std::move(json)); }
void Clerk::latch(std::string reason) {
  if (latches_) add(Kind::latch, std::move(reason));
}

std::string Clerk::latch_text() const {
  const std::scoped_lock lock{mutex_};
  return latch_text_;
}

bool Clerk::idle() const {
  const std::scoped_lock lock{mutex_};
  return tasks_.empty() && !busy_;
}

void Clerk::print(const std::string& json) {
  std::fprintf(log_, "%s\n", json.c_str());
  std::fflush(log_);
}

void Clerk::carry_out(Task& task) {
  if (task.kind == Kind::say) return print(task.text);
  if (task.kind == Kind::latch) {
    const LatchFile file{state_dir_ + "/latch"};
    LatchEntry entry;
    entry.mode = Mode::cancel;
    entry.when = wall_now();
    entry.reason = task.text;
    const Outcome done = file.tighten(entry);
    const std::scoped_lock lock{mutex_};
    latch_text_ = done ? file.path() + " (durable)" : "NOT DURABLE: " + done.error();
    return;
  }
  print(task.text);
  if (task.text.empty()) return;
  std::string open_object = task.text.substr(0, task.text.size() - 1);
  (void)record_.append(std::move(open_object), true);
  if (Outcome o = record_.commit(); !o) {
    print(R"({"event":"trouble","text":"the proof could not be kept"})");
  }
}

void Clerk::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    busy_ = true;
    lock.unlock();
    carry_out(task);
    lock.lock();
    busy_ = false;
  }
}

}  // namespace gimbal::guardian
