#include "venues/sim/faults.hpp"

#include <stdexcept>
#include <string>

#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

// One purpose, one family of draws: changing one probability never moves another's decisions.
enum class Draw : std::uint64_t {
  drop = 1,
  duplicate,
  gap,
  reorder,
  malformed,
  disconnect,
  reject,
  throttle,
  ack_lost,
  fill_lost,
  jitter,
  damage
};

std::uint64_t draw(std::uint64_t seed, Draw purpose, std::uint64_t stream,
                   std::uint64_t ordinal) noexcept {
  const std::uint64_t a = mix64(seed ^ mix64(static_cast<std::uint64_t>(purpose)));
  return mix64(a ^ mix64(mix64(stream) + ordinal));
}

void check(const char* name, double p) {
  if (!(p >= 0 && p <= 1)) {
    throw std::invalid_argument(std::string{"faults: "} + name + " must lie in 0..1");
  }
}

}  // namespace

FaultSchedule::FaultSchedule(const FaultConfig& config) : config_{config} {
  check("drop", config.drop);
  check("duplicate", config.duplicate);
  check("gap", config.gap);
  check("reorder", config.reorder);
  check("malformed", config.malformed);
  check("disconnect", config.disconnect);
  check("reject", config.reject);
  check("throttle", config.throttle);
  check("ack_lost", config.ack_lost);
  check("fill_lost", config.fill_lost);
  if (config.latency.count < 0 || config.jitter.count < 0) {
    throw std::invalid_argument("faults: latency and jitter must not be negative");
  }
}

FrameFault FaultSchedule::frame(FrameKind kind, std::uint64_t stream,
                                std::uint64_t ordinal) const noexcept {
  const auto hit = [&](Draw purpose, double p) {
    return p > 0 && unit_from_bits(draw(config_.seed, purpose, stream, ordinal)) < p;
  };
  if (hit(Draw::disconnect, config_.disconnect)) return FrameFault::disconnect;
  if (hit(Draw::malformed, config_.malformed)) return FrameFault::malformed;
  if (hit(Draw::drop, config_.drop)) return FrameFault::drop;
  if (kind == FrameKind::book && hit(Draw::gap, config_.gap)) return FrameFault::gap;
  if (hit(Draw::duplicate, config_.duplicate)) return FrameFault::duplicate;
  if (hit(Draw::reorder, config_.reorder)) return FrameFault::reorder;
  return FrameFault::none;
}

RequestFault FaultSchedule::request(std::uint64_t stream, std::uint64_t ordinal) const noexcept {
  const auto hit = [&](Draw purpose, double p) {
    return p > 0 && unit_from_bits(draw(config_.seed, purpose, stream, ordinal)) < p;
  };
  if (hit(Draw::reject, config_.reject)) return RequestFault::reject;
  if (hit(Draw::throttle, config_.throttle)) return RequestFault::throttle;
  if (hit(Draw::ack_lost, config_.ack_lost)) return RequestFault::ack_lost;
  return RequestFault::none;
}

bool FaultSchedule::fill_lost(std::uint64_t stream, std::uint64_t ordinal) const noexcept {
  return config_.fill_lost > 0 &&
         unit_from_bits(draw(config_.seed, Draw::fill_lost, stream, ordinal)) < config_.fill_lost;
}

Nanos FaultSchedule::latency(std::uint64_t stream, std::uint64_t ordinal) const noexcept {
  if (config_.jitter.count == 0) return config_.latency;
  const double u = unit_from_bits(draw(config_.seed, Draw::jitter, stream, ordinal));
  const double extra = u * static_cast<double>(config_.jitter.count);
  return config_.latency + Nanos{static_cast<std::int64_t>(extra)};
}

std::uint64_t FaultSchedule::damage_at(std::uint64_t stream, std::uint64_t ordinal,
                                       std::uint64_t size) const noexcept {
  return size == 0 ? 0 : draw(config_.seed, Draw::damage, stream, ordinal) % size;
}

}  // namespace gimbal::sim
