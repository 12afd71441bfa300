// A bot that trades while its journal's disk fills up, is slow, fails or lies.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/io/disk_control.hpp"
#include "tests/io/rig.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::test {

inline constexpr Patience disk_patience{20000 * patience_factor};

class DiskRig : public Rig {
 protected:
  [[nodiscard]] std::size_t resting() {
    const std::string answer = exchange("private/get_open_orders_by_currency?currency=BTC");
    EXPECT_FALSE(answer.empty());
    return answer.empty() ? 99 : occurrences(answer, "\"order_id\"");
  }
  // Boot 1 comes and goes; what it leaves is an order far from the market, of a strategy that is
  // not configured any more, on a connection that is not the bot's.
  void leave_order() {
    ASSERT_NO_FATAL_FAILURE(start_bot(small_segments()));
    bot_.signal(SIGKILL);
    ASSERT_EQ(bot_.wait(disk_patience), 128 + SIGKILL);
    const std::string answer = exchange(
        "private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit&price=50000"
        "&label=gdemo-0000010700000009-00000000");
    ASSERT_TRUE(holds(answer, "\"order_state\":\"open\"")) << answer;
  }
  // Hedging, with the order of boot 1 at rest.
  void start_trading(const BotSetup& setup, const std::vector<std::string>& market = {}) {
    ASSERT_NO_FATAL_FAILURE(start_sim(market));
    ASSERT_NO_FATAL_FAILURE(leave_order());
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(3)) << status();
    ASSERT_EQ(resting(), 1u) << status();
  }
  [[nodiscard]] static BotSetup small_segments(const std::string& journal = {}) {
    BotSetup setup;
    setup.runtime_extra = "journal_segment_mib = 1\n[journal]\nreserve_mib = 1\n" + journal;
    return setup;
  }
  // The gate closes, and everybody who asks is told why.
  void expect_halt(const std::string& what, const std::string& why) {
    std::string shown;
    EXPECT_TRUE(eventually(disk_patience, [&] {
      shown = status();
      return holds(shown, "\"mode\":\"halt\"") && holds(shown, "\"armed\":false");
    })) << shown;
    EXPECT_TRUE(holds(shown, what)) << shown;
    EXPECT_TRUE(holds(shown, why)) << shown;
    EXPECT_TRUE(holds(ctl({"status"}).out, why)) << ctl({"status"}).out;
    EXPECT_TRUE(eventually(disk_patience, [&] { return holds(status(), "journal_fault"); }))
        << status();
  }
  // No order leaves behind the halt, the kill cancels what rests, nothing can be armed.
  void expect_stopped() {
    const double sent = number_in(status(), "orders_sent");
    const timespec watch{0, 700'000'000};
    ::nanosleep(&watch, nullptr);
    EXPECT_EQ(number_in(status(), "orders_sent"), sent);
    EXPECT_EQ(resting(), 1u) << "a HALT leaves what rests";
    const Finished killed = kill();
    EXPECT_EQ(killed.code, 0) << killed.out << killed.err;
    EXPECT_EQ(resting(), 0u);
    const Finished armed = arm();
    EXPECT_EQ(armed.code, 3) << armed.out << armed.err;
    EXPECT_TRUE(holds(armed.out + armed.err, "the journal cannot be kept")) << armed.out;
  }
  // As an operator gives it: 2 s (--wait).
  void expect_kill_in_time(const char* disk) {
    const auto begin = std::chrono::steady_clock::now();
    const Finished killed = ctl({"kill", "--json", "--reason", "test"});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(killed.code, 0) << killed.out << killed.err;
    EXPECT_LE(took.count(), 2.0 * patience_factor);
    std::printf("kill on %s disk: confirmed after %.0f ms\n", disk, took.count() * 1000);
  }
  // A start after the disk is well again has the venue's positions, and trades.
  void expect_recovery() {
    ASSERT_NO_FATAL_FAILURE(start_bot(small_segments()));
    EXPECT_TRUE(eventually(disk_patience,
                           [&] {
                             return number_in(status(), "orders_unknown") == 0 &&
                                    bot_positions() == exchange_positions();
                           }))
        << ctl({"positions", "--json"}).out << exchange("private/get_positions?currency=BTC")
        << bot_says();
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    EXPECT_TRUE(wait_for_orders(1)) << status();
    EXPECT_EQ(kill().code, 0);
    EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
    EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
  }
  [[nodiscard]] Finished verify() {
    return run_program({program(), "journal", "verify", file("journal"), "--json"}, dir_.path(),
                       disk_patience);
  }
  // Nothing that the bot took is missing from the streams of the boot.
  void expect_whole() {
    const Finished verified = verify();
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
    EXPECT_TRUE(holds(verified.out, "\"stream\":\"events\",\"status\":\"complete\""))
        << verified.out;
    EXPECT_TRUE(holds(verified.out, "\"stream\":\"frames\",\"status\":\"complete\""))
        << verified.out;
    const Finished replayed = replay();
    EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out << replayed.err;
  }
  // Calls see(record, whether the emergency segment holds it) for the newest boot.
  template <class See>
  void each_record(const StreamName& stream, See see) const {
    std::vector<std::vector<std::byte>> segments;
    EXPECT_TRUE(load_segments(file("journal"), stream, 0, segments));
    JournalReader reader{{segments.begin(), segments.end()}, stream};
    JournalRecord record;
    while (reader.next(record) == JournalStatus::record) {
      see(record, (reader.header().flags & segment_flag::emergency) != 0);
    }
  }
};

// Mounts made from here on are the test's own. Empty text on success.
inline std::string own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return "a mount namespace is not permitted here";
  const bool alone = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return alone ? std::string{} : "mounts cannot be made private here";
}

// The journal on a file system of its own, in a mount namespace of the test's.
class SmallDisk {
 public:
  SmallDisk() = default;
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (!path_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
  }
  // Empty text on success; otherwise what this machine does not permit.
  [[nodiscard]] std::string mount(const std::string& path, const std::string& size) {
    ::mkdir(path.c_str(), 0700);
    if (std::string why = own_mounts(); !why.empty()) return why;
    const std::string options = "mode=0700,size=" + size;
    if (::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      return "a small disk cannot be mounted here";
    }
    path_ = path;
    return {};
  }
  // Another program's file takes what room there is.
  void fill() const {
    const int fd = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {}
    ::close(fd);
  }
  void make_room() const { ::unlink(filler().c_str()); }

 private:
  [[nodiscard]] std::string filler() const { return path_ + "/filler"; }
  std::string path_;
};

// The journal on a loop device that writes only so many bytes a second for one control group.
class ThrottledDisk {
 public:
  ThrottledDisk() = default;
  ThrottledDisk(const ThrottledDisk&) = delete;
  ThrottledDisk& operator=(const ThrottledDisk&) = delete;
  ~ThrottledDisk() {
    if (!path_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
    if (!group_.empty()) ::rmdir(group_.c_str());
  }
  // Empty text on success; otherwise what this machine does not permit.
  [[nodiscard]] std::string mount(const std::string& path, const std::string& image) {
    if (std::string why = own_mounts(); !why.empty()) return why;
    ::mkdir(path.c_str(), 0700);
    const std::string make = "PATH=$PATH:/usr/sbin:/sbin; (truncate -s 96M " + image +
                             " && mkfs.ext4 -q " + image + " && mount -o loop " + image + ' ' +
                             path + ") >/dev/null 2>&1";
    if (std::system(make.c_str()) != 0) return "a loop device cannot be mounted here";
    path_ = path;
    ::chmod(path.c_str(), 0700);  // what mkfs made can be entered by everybody
    const std::string root = "/sys/fs/cgroup";
    const bool first_version = ::access((root + "/blkio").c_str(), F_OK) == 0;
    const std::string group =
        root + (first_version ? "/blkio" : "") + "/gimbal-test-" + std::to_string(::getpid());
    limit_ = group + (first_version ? "/blkio.throttle.write_bps_device" : "/io.max");
    by_name_ = !first_version;
    if (::mkdir(group.c_str(), 0700) != 0) return "a control group is not permitted here";
    group_ = group;
    return ::access(limit_.c_str(), W_OK) == 0 ? std::string{} : "this kernel does not throttle";
  }
  // 0: no limit.
  void limit(unsigned bytes_per_second) const {
    struct stat about {};
    ::stat(path_.c_str(), &about);
    const std::string bytes =
        bytes_per_second == 0 && by_name_ ? "max" : std::to_string(bytes_per_second);
    std::ofstream{limit_} << ::major(about.st_dev) << ':' << ::minor(about.st_dev)
                          << (by_name_ ? " wbps=" : " ") << bytes << '\n';
  }
  // In front of the bot's command line.
  [[nodiscard]] std::vector<std::string> prefix() const {
    return {"/bin/sh", "-c", "echo $$ > " + group_ + "/cgroup.procs && exec \"$0\" \"$@\""};
  }

 private:
  std::string path_;
  std::string group_;
  std::string limit_;
  bool by_name_{false};
};

// The test's end of the shim (disk_shim.cpp).
class ShimmedDisk {
 public:
  ShimmedDisk() = default;
  ShimmedDisk(const ShimmedDisk&) = delete;
  ShimmedDisk& operator=(const ShimmedDisk&) = delete;
  ~ShimmedDisk() {
    if (page_ != nullptr) ::munmap(page_, sizeof(DiskControl));
  }
  [[nodiscard]] bool open(const std::string& path) {
    path_ = path;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(DiskControl)) != 0) return false;
    void* page = ::mmap(nullptr, sizeof(DiskControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (page == MAP_FAILED) return false;
    page_ = static_cast<DiskControl*>(page);
    return true;
  }
  // In front of the bot's command line.
  [[nodiscard]] std::vector<std::string> prefix(const char* library) const {
    return {"/usr/bin/env", std::string{"LD_PRELOAD="} + library,
            std::string{disk_control_variable} + "=" + path_};
  }
  [[nodiscard]] DiskControl& control() const { return *page_; }

 private:
  std::string path_;
  DiskControl* page_{nullptr};
};

}  // namespace gimbal::test
