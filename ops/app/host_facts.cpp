// The examinations behind `gimbal doctor`.
#include <cpuid.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "ops/app/doctor.hpp"

namespace gimbal {
namespace {

std::string trimmed(std::string text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// First bytes of a /proc or /sys file; nullopt when it is not there.
std::optional<std::string> slurp(const std::string& path) {
  std::ifstream file{path};
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return trimmed(text.str());
}

// The text after "key:" or "key :" of a table such as /proc/meminfo.
std::string table_value(const std::string& text, const std::string& key) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos && trimmed(line.substr(0, colon)) == key)
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

bool has_word(const std::string& text, const std::string& word) {
  std::istringstream words{text};
  for (std::string w; words >> w;) {
    if (w == word) return true;
  }
  return false;
}

std::string kernel_argument(const std::string& command_line, const std::string& name) {
  std::istringstream words{command_line};
  for (std::string w; words >> w;) {
    if (w.rfind(name + "=", 0) == 0) return w.substr(name.size() + 1);
  }
  return {};
}

class Examiner {
 public:
  explicit Examiner(std::string root) : root_{std::move(root)} {}

  std::vector<Finding> run() {
    processor();
    isolation();
    governor();
    threads_per_core();
    clock();
    time_sync();
    uring();
    memory_lock();
    open_files();
    realtime();
    huge_pages();
    swap();
    network();
    return std::move(findings_);
  }

 private:
  std::string read(const std::string& path) const { return slurp(root_ + path).value_or(""); }
  void add(std::string topic, HostVerdict verdict, std::string found, std::string fix = {}) {
    findings_.push_back({std::move(topic), verdict, std::move(found), std::move(fix)});
  }

  void processor() {
    const auto info = read("/proc/cpuinfo");
    const auto model = table_value(info, "model name");
    const auto online = read("/sys/devices/system/cpu/online");
    add("cpu", HostVerdict::ok,
        (model.empty() ? "unknown model" : model) + ", online " + (online.empty() ? "?" : online));
    const auto missing = missing_cpu_features();
    std::string names;
    for (const auto& name : missing) names += (names.empty() ? "" : " ") + name;
    if (missing.empty()) {
      add("cpu flags", HostVerdict::ok, "avx2 fma bmi2 aes pclmul present");
    } else {
      add("cpu flags", HostVerdict::fail, "missing: " + names,
          "use a host (or a virtual machine type) of x86-64-v3 with AES and PCLMUL");
    }
  }

  void isolation() {
    const auto isolated = read("/sys/devices/system/cpu/isolated");
    const auto nohz = kernel_argument(read("/proc/cmdline"), "nohz_full");
    if (isolated.empty()) {
      return add("isolation", HostVerdict::warn, "no processor is isolated",
                 "kernel arguments isolcpus=managed_irq,domain,N nohz_full=N rcu_nocbs=N; then "
                 "[runtime] io_core = N");
    }
    add("isolation", nohz.empty() ? HostVerdict::warn : HostVerdict::ok,
        "isolated " + isolated + ", nohz_full " + (nohz.empty() ? "none" : nohz),
        nohz.empty() ? "add nohz_full=" + isolated + " rcu_nocbs=" + isolated : "");
  }

  void governor() {
    const auto name = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (name.empty())
      return add("governor", HostVerdict::ok, "not visible (fixed by firmware or hypervisor)");
    if (name == "performance") return add("governor", HostVerdict::ok, name);
    add("governor", HostVerdict::warn, name, "ops/host/tune-host.sh --apply (sets performance)");
  }

  void threads_per_core() {
    const auto siblings = read("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
    const bool shared = siblings.find_first_of(",-") != std::string::npos;
    if (!shared) return add("smt", HostVerdict::ok, "one hardware thread a core");
    add("smt", HostVerdict::warn, "cpu0 shares its core: " + siblings,
        "switch SMT off (echo off > /sys/devices/system/cpu/smt/control) or leave the hot core's "
        "sibling idle");
  }

  void clock() {
    const auto source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    const auto flags = table_value(read("/proc/cpuinfo"), "flags");
    const bool invariant = has_word(flags, "constant_tsc") && has_word(flags, "nonstop_tsc");
    if (source == "tsc")
      add("clock source", HostVerdict::ok, source);
    else
      add("clock source", HostVerdict::warn, source.empty() ? "unknown" : source,
          "kernel argument clocksource=tsc tsc=reliable where the host allows it; other sources "
          "cost a system call");
    if (invariant)
      add("invariant tsc", HostVerdict::ok, "constant_tsc nonstop_tsc");
    else
      add("invariant tsc", HostVerdict::warn, "not announced by the processor",
          "time stamps fall back to clock_gettime; on a virtual machine ask for an invariant TSC");
  }

  void time_sync() {
    timex state{};
    const int answer = ::adjtimex(&state);
    if (answer < 0)
      return add("time sync", HostVerdict::warn, "cannot be read",
                 "check that chrony or systemd-timesyncd runs");
    const auto error_ms = static_cast<double>(state.esterror) / 1000.0;
    std::ostringstream text;
    text << (answer == TIME_ERROR ? "not synchronised" : "synchronised") << ", estimated error "
         << error_ms << " ms";
    if (answer == TIME_ERROR) {
      add("time sync", HostVerdict::warn, text.str(),
          "install chrony (on a host; a container shows its host's state); orders carry "
          "valid_until on venue time");
    } else {
      add("time sync", error_ms > 50 ? HostVerdict::warn : HostVerdict::ok, text.str(),
          error_ms > 50 ? "let chrony settle, or use a nearer time source" : "");
    }
  }

  void uring() {
    const auto why = uring_refusal();
    if (why.empty())
      return add("io_uring", HostVerdict::ok, "single issuer and deferred task run available");
    add("io_uring", HostVerdict::warn, why,
        "allow io_uring (sysctl kernel.io_uring_disabled=0, or the container's seccomp profile); "
        "epoll is used meanwhile");
  }

  void memory_lock() {
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    const bool unlimited = limit.rlim_cur == RLIM_INFINITY;
    const auto text =
        unlimited ? std::string{"unlimited"} : std::to_string(limit.rlim_cur >> 20) + " MiB";
    if (unlimited || limit.rlim_cur >= (1ull << 30))
      return add("memory lock limit", HostVerdict::ok, text);
    add("memory lock limit", HostVerdict::warn, text,
        "LimitMEMLOCK=infinity in the unit, or `gimbal soft/hard memlock unlimited` in "
        "/etc/security/limits.conf");
  }

  void open_files() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const bool enough = limit.rlim_cur >= 1024;
    add("open files limit", enough ? HostVerdict::ok : HostVerdict::warn,
        std::to_string(limit.rlim_cur),
        enough ? "" : "LimitNOFILE=4096 in the unit, or ulimit -n 4096");
    ::getrlimit(RLIMIT_CORE, &limit);
    add("core dumps", HostVerdict::ok,
        limit.rlim_cur == 0 ? "off" : "on for the shell; gimbal run switches them off");
  }

  void realtime() {
    rlimit limit{};
    ::getrlimit(RLIMIT_RTPRIO, &limit);
    const bool allowed = limit.rlim_cur > 0 || ::geteuid() == 0;
    add("realtime priority", allowed ? HostVerdict::ok : HostVerdict::warn,
        allowed ? "allowed" : "not allowed",
        allowed ? ""
                : "LimitRTPRIO=50 and AmbientCapabilities=CAP_SYS_NICE in the unit (needed for "
                  "[runtime] realtime)");
  }

  void huge_pages() {
    const auto text = read("/sys/kernel/mm/transparent_hugepage/enabled");
    const bool always = text.find("[always]") != std::string::npos;
    const auto reserved = table_value(read("/proc/meminfo"), "HugePages_Total");
    add("huge pages", always ? HostVerdict::warn : HostVerdict::ok,
        "transparent " + (text.empty() ? "not visible" : text) + ", reserved " +
            (reserved.empty() ? "0" : reserved),
        always ? "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (background "
                 "compaction stalls threads)"
               : "");
  }

  void swap() {
    const auto total = table_value(read("/proc/meminfo"), "SwapTotal");
    const bool none = total.empty() || total.rfind("0 ", 0) == 0;
    add("swap", none ? HostVerdict::ok : HostVerdict::warn, none ? "none" : total,
        none ? ""
             : "swapoff -a, or keep [runtime] lock_memory = true with a sufficient memory lock "
               "limit");
  }

  // Names the network cards, their driver, and any kernel bypass found.
  void network() {
    std::string cards;
    bool bypass = false;
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{root_ + "/sys/class/net", error}) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (name == "lo") continue;
      const auto link =
          std::filesystem::read_symlink(root_ + "/sys/class/net/" + name + "/device/driver", error)
              .filename()
              .string();
      cards += (cards.empty() ? "" : ", ") + name + " (" + (error ? "virtual" : link) + ")";
      bypass = bypass || link == "sfc" || link == "mlx5_core";
    }
    const bool onload = std::filesystem::exists(root_ + "/dev/onload", error);
    add("network", HostVerdict::ok, cards.empty() ? "no card visible" : cards);
    if (onload) return add("kernel bypass", HostVerdict::ok, "Onload is loaded (/dev/onload)");
    add("kernel bypass", HostVerdict::ok,
        bypass ? "none loaded; the card could (Onload or VMA)" : "none; kernel sockets are used");
  }

  std::string root_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<std::string> missing_cpu_features() {
  std::vector<std::string> missing;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) missing.emplace_back("avx2");
  if (!__builtin_cpu_supports("fma")) missing.emplace_back("fma");
  if (!__builtin_cpu_supports("bmi2")) missing.emplace_back("bmi2");
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  const bool leaf = __get_cpuid(1, &a, &b, &c, &d) != 0;
  if (!leaf || (c & bit_AES) == 0) missing.emplace_back("aes");
  if (!leaf || (c & bit_PCLMUL) == 0) missing.emplace_back("pclmul");
  if (!leaf || (c & bit_MOVBE) == 0) missing.emplace_back("movbe");
  return missing;
}

std::string uring_refusal() {
  // Flags by number: the C library's headers are older than the kernels that know them.
  constexpr unsigned single_issuer = 1u << 12;
  constexpr unsigned defer_taskrun = 1u << 13;
  io_uring_params params{};
  params.flags = single_issuer | defer_taskrun;
  const long fd = ::syscall(SYS_io_uring_setup, 8, &params);
  if (fd >= 0) {
    ::close(static_cast<int>(fd));
    return {};
  }
  const int why = errno;
  if (why == ENOSYS) return "the kernel has no io_uring";
  if (why == EPERM) return "io_uring is forbidden here (sysctl or seccomp)";
  if (why == EINVAL) return "the kernel is older than 6.1: no single issuer or deferred task run";
  return std::string{"io_uring_setup failed: "} + std::strerror(why);
}

std::vector<Finding> examine_host(const std::string& root) { return Examiner{root}.run(); }

}  // namespace gimbal
