// Cold, at thread start: where a thread runs, at which priority, and what memory may do to it. Each
// call answers with one sentence for the start-up report; none is fatal by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/outcome.hpp"

namespace gimbal {

enum class Scheduling : std::uint8_t { normal, fifo, batch };

struct ThreadPlan {
  std::string name{};  // at most 15 characters reach the kernel
  int cpu{-1};         // -1: anywhere
  Scheduling scheduling{Scheduling::normal};
  int priority{1};           // fifo only, 1..99
  std::vector<int> avoid{};  // with cpu -1: processors of others that this thread stays off
};

Outcome name_thread(const std::string& name);
Outcome pin_thread(int cpu);
// Takes processors from those that the calling thread may run on. Refused, with nothing changed,
// when none would be left.
Outcome keep_thread_off(const std::vector<int>& cpus);
Outcome schedule_thread(Scheduling scheduling, int priority);
// All three; gives the report line, e.g. "core: cpu 1, SCHED_FIFO 10" or with the reason of a
// refusal.
std::string apply(const ThreadPlan& plan);

// Locks present and future pages; touches `stack_bytes` of stack so that they are resident.
Outcome lock_memory();
void prefault_stack(std::size_t stack_bytes) noexcept;
// Writes one byte in every page of a buffer, keeping its contents.
void prefault(void* memory, std::size_t bytes) noexcept;

// No core file and no ptrace by equals: secrets stay out of dumps.
Outcome forbid_core_dumps();

}  // namespace gimbal
