// The bot as a child process of a latency program: its config in a private directory, start, arm,
// stop and continue, end. It is the deployed binary, wired by nothing but its config file.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gimbal::bench {

struct BotSetup {
  std::string gimbal;  // paths of the two programs
  std::string gimbalctl;
  std::filesystem::path directory;  // private; the bot's files go here
  std::filesystem::path authority;  // what it must trust
  std::uint16_t port{0};
  int hot_core{1};
  int cold_core{0};
  std::string client_id;
  std::string client_secret;
  std::string keep_warm{"100us"};  // [runtime] keep_warm
  std::string poller{"auto"};      // [runtime] poller
  std::string idle{"spin"};        // [runtime] idle
  std::string more;                // further lines of [runtime]
};

// Runs `wait` (which serves the venue) again and again until `done` or the time is over.
using Serve = std::function<void()>;
bool serve_until(const Serve& serve, const std::function<bool()>& done, double seconds);

// A private directory below the system's temporary one, removed with everything in it at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// main() of a program that starts the bot: bad usage is exit 2, what is thrown is told, exit 1.
template <class Options, class Parse, class Run>
int run_program(int argc, char** argv, const char* usage, Parse&& parse, Run&& run) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(options);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s: %s\n", std::filesystem::path{argv[0]}.filename().c_str(),
                 failed.what());
    return 1;
  }
}

class BotProcess {
 public:
  explicit BotProcess(BotSetup setup);
  ~BotProcess();
  BotProcess(const BotProcess&) = delete;
  BotProcess& operator=(const BotProcess&) = delete;

  // Start until it runs, then arm until it trades. Throws std::runtime_error with the log's end.
  void start(const Serve& serve);
  void arm(const Serve& serve, const std::string& scope = "global");
  void stop() const;  // SIGSTOP and SIGCONT
  void resume() const;
  // SIGTERM and its orderly end; the exit code, -1 when it had to be killed.
  int end(const Serve& serve);

  // What `gimbalctl WORDS...` prints; its exit code in `code`. The venue is served meanwhile.
  std::string command(const Serve& serve, std::vector<std::string> words, int& code) const;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Thread id of the hot thread, 0 when there is none.
  [[nodiscard]] pid_t hot_thread() const;
  [[nodiscard]] std::string log_end() const;
  // What `gimbal replay --json OPTIONS` says of the run's journal; after end(). Its exit code in
  // `code`.
  [[nodiscard]] std::string replay(int& code, std::vector<std::string> options = {}) const;
  [[nodiscard]] std::string report() const;  // JSON text of the closing report, empty before end()

 private:
  void write_files() const;
  [[nodiscard]] std::string confirmation() const;
  int call(const Serve& serve, const std::vector<std::string>& arguments) const;

  BotSetup setup_;
  pid_t pid_{0};
};

}  // namespace gimbal::bench
