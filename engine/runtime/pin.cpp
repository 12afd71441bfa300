#include "engine/runtime/pin.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <alloca.h>

namespace gimbal {
namespace {

Outcome from_code(int code, const std::string& verb, const std::string& what) {
  if (code == 0) return {};
  errno = code;
  return Outcome::system(verb, what);
}

}  // namespace

Outcome name_thread(const std::string& name) {
  return from_code(pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()), "name thread",
                   name);
}

Outcome pin_thread(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) {
    return Outcome::failure("cannot pin thread: no such cpu " + std::to_string(cpu));
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return from_code(pthread_setaffinity_np(pthread_self(), sizeof set, &set), "pin thread to cpu",
                   std::to_string(cpu));
}

Outcome keep_thread_off(const std::vector<int>& cpus) {
  cpu_set_t set;
  if (const int code = pthread_getaffinity_np(pthread_self(), sizeof set, &set); code != 0) {
    return from_code(code, "read the processors of", "the thread");
  }
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_CLR(static_cast<std::size_t>(cpu), &set);
  }
  if (CPU_COUNT(&set) == 0)
    return Outcome::failure("cannot stay off the hot cpus: no other is left");
  return from_code(pthread_setaffinity_np(pthread_self(), sizeof set, &set), "keep thread off",
                   "the hot cpus");
}

Outcome schedule_thread(Scheduling scheduling, int priority) {
  sched_param param{};
  param.sched_priority = scheduling == Scheduling::fifo ? priority : 0;
  const int policy = scheduling == Scheduling::fifo    ? SCHED_FIFO
                     : scheduling == Scheduling::batch ? SCHED_BATCH
                                                       : SCHED_OTHER;
  const char* name = scheduling == Scheduling::fifo    ? "SCHED_FIFO"
                     : scheduling == Scheduling::batch ? "SCHED_BATCH"
                                                       : "SCHED_OTHER";
  return from_code(pthread_setschedparam(pthread_self(), policy, &param), "schedule thread", name);
}

std::string apply(const ThreadPlan& plan) {
  std::string report = plan.name.empty() ? "thread" : plan.name;
  if (!plan.name.empty()) {
    if (const Outcome named = name_thread(plan.name); !named) report += " (" + named.error() + ")";
  }
  if (plan.cpu < 0 && plan.avoid.empty()) {
    report += ": any cpu";
  } else if (plan.cpu < 0) {
    const Outcome kept = keep_thread_off(plan.avoid);
    report += kept ? ": any cpu but the hot ones" : ": " + kept.error();
  } else {
    const Outcome pinned = pin_thread(plan.cpu);
    report += pinned ? ": cpu " + std::to_string(plan.cpu) : ": " + pinned.error();
  }
  if (plan.scheduling == Scheduling::normal) return report;
  const Outcome scheduled = schedule_thread(plan.scheduling, plan.priority);
  if (!scheduled) return report + ", " + scheduled.error();
  if (plan.scheduling == Scheduling::batch) return report + ", SCHED_BATCH";
  return report + ", SCHED_FIFO " + std::to_string(plan.priority);
}

Outcome lock_memory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
  return Outcome::system("lock", "memory (mlockall; raise RLIMIT_MEMLOCK)");
}

void prefault_stack(std::size_t stack_bytes) noexcept {
  constexpr std::size_t stack_max = 1u << 20;
  const std::size_t bytes = stack_bytes < stack_max ? stack_bytes : stack_max;
  if (bytes == 0) return;
  auto* memory = static_cast<volatile char*>(alloca(bytes));
  for (std::size_t i = 0; i < bytes; i += 4096) memory[i] = 0;
}

void prefault(void* memory, std::size_t bytes) noexcept {
  auto* at = static_cast<volatile unsigned char*>(memory);
  for (std::size_t i = 0; i < bytes; i += 4096) at[i] = at[i];
  if (bytes != 0) at[bytes - 1] = at[bytes - 1];
}

Outcome forbid_core_dumps() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return Outcome::system("forbid", "core files");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Outcome::system("forbid", "core dumps");
  return {};
}

}  // namespace gimbal
