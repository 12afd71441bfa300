// What a steady-state link costs besides time: no allocation, and no system call but
// io_uring_enter, epoll_wait, recv and send, over 10,000 echoed messages on every poller.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <thread>

#include "engine/runtime/alloc_guard.hpp"
#include "engine/wire/link.hpp"
#include "engine/wire/poller.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
constexpr int messages = 10'000;

struct SystemClock {
  RecvTime now() const noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return RecvTime{t.tv_sec * 1'000'000'000 + t.tv_nsec};
  }
};

struct Loop {
  Link link;
  int echoed{0};
  bool over{false};
  bool wrong{false};

  void on_received(std::uint16_t /*slot*/, std::span<const char> bytes, RecvTime at) noexcept {
    link.on_bytes(bytes, at, *this);
  }
  void on_lost(std::uint16_t /*slot*/, int error) noexcept { link.on_lost(error, *this); }
  void on_closed(const LinkClosed& /*closed*/) noexcept { over = true; }
  void on_text(const TextFrame& f) noexcept {
    wrong = wrong || f.size != 200 || f.data[0] != 'p';
    ++echoed;
    send();
  }
  void send() noexcept {
    const auto room = link.reserve(200);
    if (room.size() != 200) {
      over = true;
      return;
    }
    for (char& c : room) c = 'p';
    over = !link.commit(200) || over;
  }
  void run(Poller& poller, const SystemClock& clock, int until) noexcept {
    const RecvTime end = clock.now() + seconds(60);
    while (echoed < until && !over && clock.now() < end) {
      (void)poller.poll(clock, *this);
      link.settle(*this);
    }
  }
};

std::array<std::atomic<int>, 512> trapped;

void on_trap(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const auto number = static_cast<std::size_t>(info->si_syscall);
  if (number < trapped.size()) trapped[number].fetch_add(1);
}

// From here on every other system call of this thread is trapped and counted instead of made.
// `exit` is let through so that the thread can end.
bool allow_only_io() {
  std::array<sock_filter, 16> program{};
  std::size_t n = 0;
  constexpr std::array allowed{
      __NR_io_uring_enter, __NR_epoll_wait,   __NR_epoll_pwait, __NR_recvfrom,
      __NR_sendto,         __NR_rt_sigreturn, __NR_exit};
  program[n++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    program[n++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(allowed[i]),
                            static_cast<unsigned char>(allowed.size() - i), 0);
  }
  program[n++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  program[n++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog filter{static_cast<unsigned short>(n), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

class SteadyState : public testing::TestWithParam<PollerKind> {
 protected:
  void SetUp() override {
    test::CertSpec spec;
    spec.dns = {"venue.test"};
    const test::Identity root = test::make_authority();
    server_ = std::make_unique<test::EchoServer>(test::make_identity(spec, &root));
    std::string error;
    auto context = TlsContext::make({test::write_pem({root}), {}}, error);
    ASSERT_TRUE(context) << error;
    PollerChoice choice;
    PollerConfig config;
    config.kind = GetParam();
    poller_ = Poller::open(config, choice);
    if (!poller_) GTEST_SKIP() << name_of(GetParam()) << ": " << choice.reason;
    Endpoint e;
    e.host = "venue.test";
    e.address = "127.0.0.1";
    e.port = server_->port();
    ConnectFailure failure;
    made_ = Connector{context}.connect(e, 5s, failure);
    ASSERT_TRUE(made_) << failure.text;
  }
  void start() {
    Channel::prepare_thread();
    ASSERT_TRUE(poller_->add(made_->fd, 0, Priority::first));
    loop_.link.adopt(std::move(made_), clock_.now(), loop_);
    loop_.send();
    loop_.run(*poller_, clock_, 100);
  }

  std::unique_ptr<test::EchoServer> server_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Established> made_;
  SystemClock clock_;
  Loop loop_;
};

INSTANTIATE_TEST_SUITE_P(EveryPoller, SteadyState,
                         testing::Values(PollerKind::uring, PollerKind::epoll, PollerKind::spin,
                                         PollerKind::mixed),
                         [](const auto& p) { return std::string{name_of(p.param)}; });

TEST_P(SteadyState, EchoOfTenThousandMessagesAllocatesNothing) {
  if (!alloc_guard_active()) GTEST_SKIP() << "a sanitizer owns malloc in this build";
  start();
  arm_alloc_guard();
  loop_.run(*poller_, clock_, 100 + messages);
  disarm_alloc_guard();
  const AllocCounts counts = thread_alloc_counts();
  EXPECT_EQ(loop_.echoed, 100 + messages);
  EXPECT_FALSE(loop_.wrong);
  EXPECT_EQ(counts.allocations, 0U);
  EXPECT_EQ(counts.frees, 0U);
  EXPECT_EQ(counts.maps, 0U);
}

TEST_P(SteadyState, EchoOfTenThousandMessagesMakesNoOtherSystemCall) {
  if (!alloc_guard_active()) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(sigaction(SIGSYS, &action, nullptr), 0);
  for (auto& count : trapped) count = 0;
  std::atomic<bool> confined{false};
  std::atomic<bool> done{false};
  std::thread hot{[&] {
    start();
    confined = allow_only_io();
    if (confined) {
      (void)::syscall(__NR_getppid);  // proof that the trap works
      loop_.run(*poller_, clock_, 100 + messages);
    }
    done = true;
    ::syscall(__NR_exit, 0);  // the ordinary way out of a thread makes calls that are trapped
  }};
  hot.join();
  ASSERT_TRUE(done);
  if (!confined) GTEST_SKIP() << "seccomp is not available here";
  EXPECT_EQ(loop_.echoed, 100 + messages);
  for (std::size_t i = 0; i < trapped.size(); ++i) {
    EXPECT_EQ(trapped[i].load(), i == __NR_getppid ? 1 : 0) << "system call " << i;
  }
}

}  // namespace
}  // namespace gimbal
