#include "engine/runtime/probe.hpp"

namespace gimbal {

std::string_view name_of(ProbeHop hop) noexcept {
  switch (hop) {
    case ProbeHop::receive: return "receive";
    case ProbeHop::decrypt: return "decrypt";
    case ProbeHop::parse: return "parse";
    case ProbeHop::step: return "step";
    case ProbeHop::state: return "state";
    case ProbeHop::strategy: return "strategy";
    case ProbeHop::commands: return "commands";
    case ProbeHop::encode: return "encode";
    case ProbeHop::encrypt: return "encrypt";
    case ProbeHop::send: return "send";
    case ProbeHop::ack: return "ack";
  }
  return "unknown";
}

std::size_t HopTimes::drain(TscProbe& probe, std::size_t max) noexcept {
  return probe.rows().drain([this](const HopRow& row) { add(row); }, max);
}

void HopTimes::add(const HopRow& row) noexcept {
  const auto ns = [this](std::uint64_t from, std::uint64_t to) {
    return to <= from ? 0 : static_cast<std::uint64_t>(static_cast<double>(to - from) / ghz_);
  };
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < probe_hops; ++i) {
    if (row.tsc[i] == 0) continue;
    if (previous != 0) {
      const std::uint64_t took = ns(previous, row.tsc[i]);
      steps_[i].add(took);
      budgets_[i].add(took);
    }
    previous = row.tsc[i];
  }
  const std::uint64_t received = row.tsc[static_cast<std::size_t>(ProbeHop::receive)];
  const std::uint64_t sent = row.tsc[static_cast<std::size_t>(ProbeHop::send)];
  if (received == 0 || sent == 0) return;
  total_.add(ns(received, sent));
  budgets_[static_cast<std::size_t>(ProbeHop::receive)].add(ns(received, sent));
}

}  // namespace gimbal
