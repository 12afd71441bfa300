// Bugs planted on purpose, compiled into the tester only: each must trip its invariant, or the
// invariant proves nothing. They sit between the parts of the product, not in them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gimbal::simtest {

enum class Plant : std::uint8_t {
  none,
  invent_fill,      // a fill that no trade stands behind reaches the core
  drop_fills,       // fills are kept from the core, live and historical
  leak_after_kill,  // an order goes out past the closed gates
  double_amount,    // ten times the approved amount is written
  send_twice,       // a second order for the same intent
  end_early,        // the core is told that a live order has ended
  reuse_label,      // a label of an earlier order is written
  hide_gap,         // the core is not told that a book broke
  flood_venue,      // messages beyond the budget
  lose_journal,     // one event is missing in the journal
  ignore_seed,      // something depends on the run, not on the seed
  deaf_queries,     // look-ups are never answered
  off_tick,         // a price is moved off the tick on the wire
  order_at_boot,    // an order before anybody armed
  show_secret,      // the secret is in a text
  heap_in_step,     // a step allocates
  wrong_fee,        // a fill's fee is changed on its way
  dear_fee,         // the venue takes two units more than a fill's fee says
  lose_bytes,       // a byte of a connection is lost below the texts
  forge_checksum,   // the checksum of a damaged file fits
  same_nonce,       // every session's nonces begin at the same number
  hide_adl,         // a fill that the venue made is told as any other
  old_tick,         // an instrument whose terms have changed is given its old ones
  lose_cancels,     // cancels and mass cancels are not sent
  swallow_request,  // a strategy's request becomes no order and no denial
  forget_latch,     // what is latched is not written; the process dies soon after
  hide_settlement,  // the core is not told that instruments have ended
  wall_timer,       // timers go by the wall clock
  wall_span,        // a silence is measured by the wall clock
  loose_terms,      // an immediate order is written as one that rests
  skip_change,      // a book change is lost and the next one says that it follows
  count_
};
struct PlantRow {
  Plant plant{Plant::none};
  std::string_view name;
  std::string_view invariant;  // that must catch it
};
inline constexpr std::array<PlantRow, static_cast<std::size_t>(Plant::count_)> plant_rows{{
    {Plant::none, "none", ""},
    {Plant::invent_fill, "invent_fill", "I1"},
    {Plant::drop_fills, "drop_fills", "I2"},
    {Plant::leak_after_kill, "leak_after_kill", "I3"},
    {Plant::double_amount, "double_amount", "I4"},
    {Plant::send_twice, "send_twice", "I5"},
    {Plant::end_early, "end_early", "I6"},
    {Plant::reuse_label, "reuse_label", "I7"},
    {Plant::hide_gap, "hide_gap", "I8"},
    {Plant::flood_venue, "flood_venue", "I9"},
    {Plant::lose_journal, "lose_journal", "I10"},
    {Plant::ignore_seed, "ignore_seed", "I11"},
    {Plant::deaf_queries, "deaf_queries", "I12"},
    {Plant::off_tick, "off_tick", "I13"},
    {Plant::order_at_boot, "order_at_boot", "I15"},
    {Plant::show_secret, "show_secret", "I16"},
    {Plant::heap_in_step, "heap_in_step", "I17"},
    {Plant::wrong_fee, "wrong_fee", "I20"},
    {Plant::dear_fee, "dear_fee", "I20"},
    {Plant::lose_bytes, "lose_bytes", "I11"},
    {Plant::forge_checksum, "forge_checksum", "I10"},
    {Plant::same_nonce, "same_nonce", "I7"},
    {Plant::hide_adl, "hide_adl", "I1"},
    {Plant::old_tick, "old_tick", "I13"},
    {Plant::lose_cancels, "lose_cancels", "I12"},
    {Plant::swallow_request, "swallow_request", "I19"},
    {Plant::forget_latch, "forget_latch", "I15"},
    {Plant::hide_settlement, "hide_settlement", "I12"},
    {Plant::wall_timer, "wall_timer", "I14"},
    {Plant::wall_span, "wall_span", "I14"},
    {Plant::loose_terms, "loose_terms", "I13"},
    {Plant::skip_change, "skip_change", "I8"},
}};

}  // namespace gimbal::simtest
