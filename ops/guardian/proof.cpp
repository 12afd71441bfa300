#include "ops/guardian/proof.hpp"

#include <fmt/format.h>

#include "ops/app/json_writer.hpp"

namespace gimbal::guardian {
namespace {

// After detection; -1: has not happened.
std::int64_t after(RecvTime from, RecvTime at) { return at.mono_ns == 0 ? -1 : (at - from).count; }

}  // namespace

std::string to_json(const FireProof& p, const RunReport& run) {
  JsonWriter w;
  w.begin_object().text("event", "proof").integer("fire", p.fire).text("cause", name_of(p.cause));
  w.boolean("confirmed", run.confirmed).boolean("final", run.final);
  w.text("account", p.account).boolean("own_account", p.own_account);
  w.integer("bot_pid", p.bot_pid).integer("bot_epoch", p.bot_epoch);
  w.integer("thread", p.thread).integer("silent_ns", p.silent.count);
  w.integer("unix_ns", p.unix_ns).integer("detected_mono_ns", p.detected.mono_ns);
  w.integer("gate_closed_ns", p.gate_closed.count);
  w.integer("first_cancel_mono_ns", run.first_cancel.mono_ns);
  w.integer("first_cancel_ns", after(p.detected, run.first_cancel));
  w.integer("last_cancel_ns", after(p.detected, run.last_cancel));
  w.integer("confirmed_ns", run.confirmed ? after(p.detected, run.confirmed_at) : -1);
  w.integer("cancels_sent", run.cancels).integer("cancels_refused", p.refused);
  w.integer("rounds", run.rounds).integer("listed", p.listed);
  w.boolean("counted", run.counted).integer("open_seen", run.open_max);
  w.integer("still_open", run.still_open);
  w.begin_array("in_flight");
  for (const OrderId id : p.in_flight) w.text({}, fmt::format("{:016x}", id.value));
  w.end_array();
  w.text("latch", p.latch).text("build", p.build).text("config", p.config);
  return w.end_object().take();
}

}  // namespace gimbal::guardian
