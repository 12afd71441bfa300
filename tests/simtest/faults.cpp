#include "tests/simtest/faults.hpp"

#include <algorithm>

namespace gimbal::simtest {
namespace {

using enum Fault;

constexpr std::array<FaultRow, faults_total> rows{{
    {ack_lost, "F01", "ack_lost", Per::request, 0.2,
     "the order lives, reply and order events of it are lost"},
    {submit_lost, "F02", "submit_lost", Per::request, 0.2, "the request never reaches the venue"},
    {ack_late, "F03", "ack_late", Per::reply, 0.2, "the reply comes 1 ms to 60 s late"},
    {outcome_unclear, "F04", "outcome_unclear", Per::reply, 0.1,
     "the reply is an error that proves nothing, the order lives"},
    {event_before_reply, "F05", "event_before_reply", Per::reply, 0.4,
     "notifications overtake the reply"},
    {fill_before_accept, "F06", "fill_before_accept", Per::event, 0.4,
     "order events wait, the fill goes ahead"},
    {fill_after_cancel, "F08", "fill_after_cancel", Per::event, 0.3,
     "the fill comes after the order's end"},
    {cancel_meets_fill, "F09", "cancel_meets_fill", Per::request, 0.5,
     "a cancel is slow while the order is being hit"},
    {cancel_lost, "F10", "cancel_lost", Per::request, 0.3, "a cancel or its answer is lost"},
    {amend_meets_fill, "F11", "amend_meets_fill", Per::request, 0.5,
     "an edit is slow while the order is being hit"},
    {fill_twice, "F12", "fill_twice", Per::event, 0.4, "the same fill again, same trade id"},
    {fill_without_id, "F13", "fill_without_id", Per::event, 0.1,
     "the same fill again with an empty trade id"},
    {fill_replayed, "F14", "fill_replayed", Per::second, 0.3,
     "a reconnect replays the last private events"},
    {private_events_lost, "F16", "private_events_lost", Per::event, 0.15,
     "private notifications vanish without notice"},
    {feeds_skewed, "F17", "feeds_skewed", Per::second, 0.1,
     "private events run up to 5 s behind the public feed"},
    {sequence_gap, "F18", "sequence_gap", Per::feed, 0.01, "a book change is lost"},
    {snapshot_late, "F19", "snapshot_late", Per::feed, 0.3,
     "a snapshot comes after the changes that follow it"},
    {stale_book, "F20", "stale_book", Per::feed, 0.01, "an old book frame comes again"},
    {sequence_reset, "F21", "sequence_reset", Per::feed, 0.01, "change ids jump or restart"},
    {bad_levels, "F22", "bad_levels", Per::feed, 0.01, "zero amount, negative price, crossed book"},
    {silent_stall, "F23", "silent_stall", Per::second, 0.1,
     "the feed is silent while heartbeats go on"},
    {half_open, "F24", "half_open", Per::second, 0.05, "one direction of a connection is dead"},
    {session_cut, "F25", "session_cut", Per::second, 0.2, "a connection ends, in mid-flight"},
    {reconnect_storm, "F26", "reconnect_storm", Per::second, 0.05,
     "connections break again as soon as they are up"},
    {malformed, "F28", "malformed", Per::feed, 0.005, "cut, garbled, deep or huge JSON"},
    {unknown_words, "F29", "unknown_words", Per::event, 0.05,
     "unknown order state, new member, null"},
    {throttled, "F30", "throttled", Per::second, 0.1,
     "the account's rate is used up elsewhere: 10028 and the session ends"},
    {banned, "F31", "banned", Per::second, 0.03, "every connection and query is refused"},
    {dead_man_early, "F32", "dead_man_early", Per::second, 0.1,
     "the venue cancels everything although the session lives"},
    {dead_man_absent, "F33", "dead_man_absent", Per::second, 0.1,
     "a session ends and its orders stay"},
    {wall_clock_step, "F35", "wall_clock_step", Per::second, 0.3, "the host's wall clock jumps"},
    {paused, "F36", "paused", Per::second, 0.3, "the process stands still for 1 to 500 ms"},
    {journal_refused, "F38", "journal_refused", Per::second, 0.05,
     "the journal takes no events for a while"},
    {restart, "F40", "restart", Per::second, 0.15,
     "the process dies and starts again, orders and positions stay"},
    {restart_late, "F41", "restart_late", Per::second, 0.02,
     "it starts again after the look-back of trades"},
    {reconciled_twice, "F42", "reconciled_twice", Per::second, 0.3,
     "a reconciliation runs again at once"},
    {liquidated, "F43", "liquidated", Per::second, 0.03, "the venue liquidates the account"},
    {maintenance, "F45", "maintenance", Per::second, 0.1, "the venue takes no orders for a while"},
    {self_trade, "F47", "self_trade", Per::second, 0.3,
     "an order of the same account crosses ours"},
    {reduce_only_cut, "F48", "reduce_only_cut", Per::second, 0.2,
     "the position behind a reduce-only order goes away"},
    {manual_trade, "F49", "manual_trade", Per::second, 0.2, "a human trades on the account"},
    {second_bot, "F50", "second_bot", Per::second, 0.1,
     "orders with our tag and another boot epoch"},
    {killed, "F51", "killed", Per::second, 0.2, "the operator kills and arms at any event"},
    {control_flood, "F52", "control_flood", Per::second, 0.1, "hundreds of operator commands"},
    {query_lost, "F01", "query_lost", Per::query, 0.2, "a query has no answer in time"},
    {query_error, "F04", "query_error", Per::query, 0.2, "a query is answered by HTTP 5xx"},
    {query_late, "F03", "query_late", Per::query, 0.3,
     "a query is answered 20 to 900 ms after the venue read it"},
    {bytes_split, "F27", "bytes_split", Per::second, 1.0,
     "texts come in fragments, among control frames, cut at any byte"},
    {torn_write, "F37", "torn_write", Per::second, 0.1,
     "the process dies, its journal is cut at any byte"},
    {bit_flip, "F39", "bit_flip", Per::second, 0.1,
     "the process dies, a bit of its journal or its kept orders is flipped"},
    {fill_before_edit_reply, "F07", "fill_before_edit_reply", Per::request, 0.5,
     "the order is hit at its new terms before the edit's reply"},
    {nonce_refused, "F34", "nonce_refused", Per::login, 0.5,
     "a log-in is refused for its nonce or its time, once or twice in a row"},
    {auto_deleveraged, "F44", "auto_deleveraged", Per::second, 0.2,
     "the venue closes part of a position to save another account"},
    {tick_changed, "F46", "tick_changed", Per::second, 0.2,
     "the hedge instrument has another tick or lot from now on"},
    {fill_voided, "F15", "fill_voided", Per::second, 0.3,
     "the venue takes a trade back, without a word"},
    {settled, "F45", "settled", Per::second, 0,
     "the daily settlement in mid-run: options expire, others are listed"},
    {delisted, "F45", "delisted", Per::second, 0.2,
     "the venue ends every instrument of an expiry before its time"},
    {disk_failed, "F38", "disk_failed", Per::second, 0.1,
     "the journal takes nothing any more (EIO) until the process is started again"},
    {sync_lied, "F38", "sync_lied", Per::second, 0.1,
     "the host dies, and files that were synced are older, shorter or lack pages"},
    {name_unresolved, "F26", "name_unresolved", Per::second, 0.1,
     "the venue's name has no address for a while; connections that are up go on"},
    {address_changed, "F26", "address_changed", Per::second, 0.1,
     "the venue moves: what is connected reaches nobody any more"},
    {instrument_halted, "F45", "instrument_halted", Per::second, 0.2,
     "the hedge instrument takes no order and no change for a while, cancels pass"},
    {request_late, "F03", "request_late", Per::request, 0.2,
     "the request reaches the venue 10 ms to 6 s late, behind younger ones"},
}};

// Orders of others on the account: a second bot halts this one until the operator acknowledges, and
// much of the run would test nothing else.
constexpr std::array beside_the_swarm{self_trade, reduce_only_cut, manual_trade, second_bot};

}  // namespace

std::span<const FaultRow> fault_rows() noexcept { return rows; }

const FaultRow& row_of(Fault fault) noexcept { return rows[static_cast<std::size_t>(fault)]; }

bool parse_faults(std::string_view text, FaultSet& out, std::string& error) {
  out.reset();
  if (text == "all" || text == "swarm") {
    out.set();
    if (text == "all") return true;
    for (const Fault fault : beside_the_swarm) out.reset(static_cast<std::size_t>(fault));
    return true;
  }
  if (text == "none") return true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view name = text.substr(0, end);
    const auto* const found =
        std::find_if(rows.begin(), rows.end(), [&](const FaultRow& r) { return r.name == name; });
    if (found == rows.end()) {
      error = name;
      return false;
    }
    out.set(static_cast<std::size_t>(found->fault));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

std::string text_of(const FaultSet& faults) {
  if (faults.none()) return "none";
  if (faults.all()) return "all";
  std::string text;
  for (const FaultRow& r : rows) {
    if (!faults.test(static_cast<std::size_t>(r.fault))) continue;
    if (!text.empty()) text += ',';
    text += r.name;
  }
  return text;
}

FaultPlan plan_faults(std::uint64_t seed, const FaultSet& allowed) noexcept {
  FaultPlan plan;
  const bool alone = allowed.count() == 1;
  for (const FaultRow& r : rows) {
    const auto i = static_cast<std::size_t>(r.fault);
    Random random{seed, 1000 + i};
    const bool chosen = random.chance(0.25);
    plan.rate[i] = r.rate_max * (0.1 + 0.9 * random.unit());
    plan.on.set(i, allowed.test(i) && (chosen || alone));
  }
  return plan;
}

}  // namespace gimbal::simtest
