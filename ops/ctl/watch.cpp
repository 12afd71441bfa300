#include "ops/ctl/watch.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "ops/app/commands.hpp"
#include "ops/app/control_protocol.hpp"
#include "ops/ctl/client.hpp"
#include "ops/ctl/render.hpp"

namespace gimbal::ctl {
namespace {

constexpr std::chrono::milliseconds patience{3000};
volatile std::sig_atomic_t interrupted = 0;
void note_interrupt(int) { interrupted = 1; }

// The terminal's second screen while it lives; the first comes back as it was.
class SecondScreen {
 public:
  explicit SecondScreen(bool on) : on_{on} {
    if (!on_) return;
    std::fputs("\x1b[?1049h\x1b[?25l", stdout);
    struct sigaction act {};
    act.sa_handler = note_interrupt;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &act, nullptr);
  }
  SecondScreen(const SecondScreen&) = delete;
  SecondScreen& operator=(const SecondScreen&) = delete;
  ~SecondScreen() {
    if (on_) std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  }
  // Overwrites line by line: nothing flickers.
  static void show(const std::string& text) {
    std::string out = "\x1b[H";
    for (const char c : text) out += c == '\n' ? std::string{"\x1b[K\r\n"} : std::string{c};
    out += "\x1b[J";
    std::fputs(out.c_str(), stdout);
    std::fflush(stdout);
  }
  static std::size_t rows() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 3) return 0;
    return static_cast<std::size_t>(size.ws_row) - 1;
  }

 private:
  bool on_;
};

// One look; the answer's line in `out`, or why there is none.
int look(const WatchOptions& o, std::string& out) {
  AnswerHead head;
  const auto asked =
      ask(o.socket, {ControlVerb::watch, {}}, patience, [&](const std::string& line) {
        if (!read_head(line, head)) return false;
        out = line;
        return head.is_final;
      });
  if (asked) return head.code;
  out = asked.error() + ". Is `gimbal run` running, and may this user reach it?";
  return exit_unreachable;
}

}  // namespace

int watch(const WatchOptions& o) {
  const bool terminal = !o.json && ::isatty(STDOUT_FILENO) != 0;
  const SecondScreen screen{terminal};
  int code = exit_done;
  for (std::uint32_t i = 0; (o.count == 0 || i < o.count) && interrupted == 0; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::nanoseconds{o.interval.count});
    std::string said;
    code = look(o, said);
    if (terminal) {
      SecondScreen::show(code == exit_done ? watch_text(said, SecondScreen::rows()) : said + "\n");
      continue;
    }
    if (code == exit_unreachable) {
      std::fprintf(stderr, "gimbalctl: %s\n", said.c_str());
      return code;
    }
    std::fputs(o.json ? (said + "\n").c_str() : (watch_text(said) + "\n").c_str(), stdout);
    std::fflush(stdout);
    if (code != exit_done) return code;
  }
  return code;
}

}  // namespace gimbal::ctl
