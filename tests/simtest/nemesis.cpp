#include "tests/simtest/nemesis.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace gimbal::simtest {
namespace {

constexpr std::size_t events_kept = 24;
constexpr int nonce_refusals_max = 2;  // then the venue takes one

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

// The venue's number of it; 0 when it says none.
sim::OrderNo order_of(std::string_view text) noexcept {
  const std::string_view digits = member_text(text, "order_id");
  sim::OrderNo number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Nemesis::Nemesis(std::uint64_t seed, const FaultPlan& plan, std::uint64_t firings_max,
                 VenueSide& venue)
    : plan_{plan}, firings_max_{firings_max}, venue_{venue} {
  for (std::size_t i = 0; i < faults_total; ++i) random_[i] = Random{seed, 2000 + i};
}

bool Nemesis::draws(Fault f) noexcept {
  const auto i = static_cast<std::size_t>(f);
  if (!may_fire()) return false;
  const double rate = row_of(f).per == Per::second ? plan_.rate[i] * 1e-3 : plan_.rate[i];
  if (!random_[i].chance(rate)) return false;
  count(f);
  return true;
}

void Nemesis::count(Fault f) noexcept {
  ++firings_;
  ++counts_[static_cast<std::size_t>(f)];
  last_firing_ = now_;
}

bool Nemesis::budget_shared() const noexcept {
  return on(Fault::throttled) || on(Fault::manual_trade) || on(Fault::second_bot) ||
         on(Fault::self_trade) || on(Fault::reduce_only_cut) || on(Fault::dead_man_early);
}

void Nemesis::tick(RecvTime now) {
  now_ = now;
  moments();
}

void Nemesis::stop() {
  stopped_ = true;
  for (std::size_t i = 0; i < lanes_total; ++i) {
    const Lane lane{static_cast<std::uint8_t>(i)};
    if (deaf_until_[i] > now_ || dumb_until_[i] > now_ || nobody_there(lane)) network_->cut(lane);
    stranded_[i] = 0;
    deaf_until_[i] = dumb_until_[i] = RecvTime{};
  }
  skewed_until_ = stalled_until_ = storm_until_ = banned_until_ = split_until_ = now_;
  unresolved_until_ = halted_until_ = now_;
  query_stranded_ = false;
  process_.paused_until = std::min(process_.paused_until, now_);
  process_.journal_back_at = std::min(process_.journal_back_at, now_);
  muted_.clear();
  moments();  // ends what has an end of its own
}

bool Nemesis::refuses_connections() const {
  return banned_until_ > now_ || unresolved_until_ > now_;
}

bool Nemesis::nobody_there(Lane lane) const {
  const sim::ConnectionId stranded = stranded_[static_cast<std::size_t>(lane)];
  return stranded != 0 && network_->connection(lane) == stranded;
}

Nemesis::QueryFate Nemesis::query() {
  QueryFate fate;
  if (unresolved_until_ > now_) return {false, true, 0};
  if (refuses_connections()) return {false, true, 403};
  if (std::exchange(query_stranded_, false)) return {true, true};
  if (fires(Fault::query_lost)) {
    fate.lost = true;
    fate.before_venue = random(Fault::query_lost).chance(0.5);
  } else if (fires(Fault::query_error)) {
    fate.status = random(Fault::query_error).chance(0.5) ? 502 : 504;
    fate.before_venue = random(Fault::query_error).chance(0.5);
  }
  if (fires(Fault::query_late)) {
    fate.delay = random(Fault::query_late).time(milliseconds(20), milliseconds(900));
  }
  return fate;
}

// --- the bot's requests -------------------------------------------------------------------------

void Nemesis::log_in(std::size_t way, std::string& text) {
  if (!on(Fault::nonce_refused) || !contains(text, "\"client_signature\"")) return;
  int& in_a_row = nonces_refused_[way];
  if (in_a_row == nonce_refusals_max || !fires(Fault::nonce_refused)) {
    in_a_row = 0;
    return;
  }
  ++in_a_row;
  random(Fault::nonce_refused).chance(0.5) ? spoil_nonce(text) : spoil_timestamp(text);
}

void Nemesis::request(Lane lane, std::string text, Sink& sink) {
  log_in(static_cast<std::size_t>(lane), text);
  if (dumb_until_[static_cast<std::size_t>(lane)] > now_ || nobody_there(lane)) return;
  if (lane != Lane::orders) return sink.send({std::move(text), {}, false});
  place_request(std::move(text), sink);
}

void Nemesis::place_request(std::string text, Sink& sink) {
  const Ask ask = ask_of(text);
  const std::int64_t id = id_of(text);
  if (ask == Ask::other || id < 0) return sink.send({std::move(text), {}, false});
  asked_[id] = ask;
  if (ask != Ask::cancel && halted_until_ > now_) {
    static_cast<void>(
        network_->deliver(Lane::orders, {R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                                         R"(,"error":{"code":10012,"message":"book_closed"}})"}));
    return;
  }
  Parcel parcel{std::move(text), {}, false};
  if (ask == Ask::place) {
    if (fires(Fault::submit_lost)) return;
    if (fires(Fault::ack_lost)) {
      lost_replies_.insert(id);
      muted_.insert(std::string{member_text(parcel.text, "label")});
    }
  }
  if (ask == Ask::cancel) {
    if (fires(Fault::cancel_lost)) {
      if (random(Fault::cancel_lost).chance(0.5)) return;
      lost_replies_.insert(id);
    }
    if (fires(Fault::cancel_meets_fill)) {
      parcel.delay = random(Fault::cancel_meets_fill).time(milliseconds(5), milliseconds(80));
      for (const sim::OrderNo n : venue_.resting()) venue_.hit(n, 1.0);
    }
  }
  if (ask == Ask::edit) expect_edit(id, parcel.text);
  if (ask == Ask::edit && fires(Fault::amend_meets_fill)) {
    parcel.delay = random(Fault::amend_meets_fill).time(milliseconds(5), milliseconds(80));
    const double share = random(Fault::amend_meets_fill).unit();
    for (const sim::OrderNo n : venue_.resting()) venue_.hit(n, share);
  }
  if (fires(Fault::request_late)) {
    parcel.delay = parcel.delay + random(Fault::request_late).spread(milliseconds(10), seconds(6));
  }
  parcel.overtakes = parcel.delay.count > 0;
  sink.send(std::move(parcel));
}

// --- the venue's frames -------------------------------------------------------------------------

void Nemesis::frame(Lane lane, std::string text, Sink& sink) {
  if (deaf_until_[static_cast<std::size_t>(lane)] > now_ || nobody_there(lane)) return;
  if (storm_until_ > now_ && contains(text, "access_token")) { return network_->cut(lane); }
  if (lane != Lane::orders) return public_frame(lane, std::move(text), sink);
  if (contains(text, "\"channel\":\"user.")) return private_event(std::move(text), sink);
  const auto asked = asked_.find(id_of(text));
  const bool mine = asked != asked_.end() && !contains(text, "\"method\":\"heartbeat\"");
  reply(std::move(text), sink, mine);
}

void Nemesis::reply(std::string text, Sink& sink, bool mine) {
  Parcel parcel{std::move(text), {}, false};
  if (!mine) return sink.send(std::move(parcel));
  const std::int64_t id = id_of(parcel.text);
  if (lost_replies_.erase(id) > 0) return;
  if (asked_[id] == Ask::edit) {
    parcel.delay = hit_at_new_terms(id);
    parcel.overtakes = parcel.delay.count > 0;
  }
  if (fires(Fault::outcome_unclear)) {
    static constexpr std::array<std::string_view, 3> codes{"11094", "99999", "13888"};
    const std::size_t which = random(Fault::outcome_unclear).below(2);
    parcel.text = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"error":{"code":)" +
                  std::string{codes[which]} + R"(,"message":"internal_server_error"}})";
  }
  if (fires(Fault::ack_late)) {
    parcel.delay = random(Fault::ack_late).spread(milliseconds(1), seconds(60));
    parcel.overtakes = true;
  } else if (fires(Fault::event_before_reply)) {
    parcel.delay = random(Fault::event_before_reply).time(milliseconds(3), milliseconds(50));
    parcel.overtakes = true;
  }
  sink.send(std::move(parcel));
}

void Nemesis::expect_edit(std::int64_t id, std::string_view text) {
  std::erase_if(early_fills_, [&](const auto& row) { return row.second.until < now_; });
  const sim::OrderNo order = order_of(text);
  if (order == 0 || !fires(Fault::fill_before_edit_reply)) return;
  Random& r = random(Fault::fill_before_edit_reply);
  const Nanos late = r.time(milliseconds(5), milliseconds(80));
  early_fills_[id] = {order, late, r.chance(0.5), now_ + seconds(1)};
}

// The edit has been carried out, or refused: what hits the order now is told of in time. How long
// the reply is held back.
Nanos Nemesis::hit_at_new_terms(std::int64_t id) {
  const auto early = early_fills_.find(id);
  if (early == early_fills_.end()) return {};
  Random& r = random(Fault::fill_before_edit_reply);
  venue_.hit_through(early->second.order, r.chance(0.5) ? 1.0 : r.unit());
  early->second.until = now_ + milliseconds(10);
  return early->second.reply_late;
}

void Nemesis::private_event(std::string text, Sink& sink) {
  last_private_.push_back(text);
  if (last_private_.size() > events_kept) last_private_.pop_front();
  if (fires(Fault::private_events_lost)) return;
  if (fires(Fault::unknown_words)) strange_words(text, random(Fault::unknown_words));
  if (skewed_until_ > now_) return sink.send({std::move(text), skewed_until_ - now_, false});
  if (contains(text, "\"channel\":\"user.trades")) return fill_frame(text, sink);
  if (contains(text, "\"channel\":\"user.orders")) return order_frame(std::move(text), sink);
  sink.send({std::move(text), {}, false});
}

void Nemesis::fill_frame(const std::string& text, Sink& sink) {
  Parcel parcel{text, {}, false};
  if (fires(Fault::fill_after_cancel)) {
    parcel.delay = random(Fault::fill_after_cancel).time(milliseconds(20), milliseconds(400));
    parcel.overtakes = true;
  }
  sink.send(std::move(parcel));
  if (fires(Fault::fill_twice)) {
    sink.send({text, random(Fault::fill_twice).time(Nanos{}, milliseconds(200)), true});
  }
  if (fires(Fault::fill_without_id)) {
    std::string bare = text;
    empty_trade_ids(bare);
    sink.send({std::move(bare), random(Fault::fill_without_id).time({}, milliseconds(200)), true});
  }
}

void Nemesis::order_frame(std::string text, Sink& sink) {
  if (muted_.find(member_text(text, "label")) != muted_.end()) return;
  Parcel parcel{std::move(text), {}, false};
  for (const auto& [id, early] : early_fills_) {
    const bool its = early.mutes_order && order_of(parcel.text) == early.order;
    if (!its || early.until < now_) continue;
    parcel.delay = early.reply_late;
    parcel.overtakes = true;
  }
  if (fires(Fault::fill_before_accept)) {
    parcel.delay = random(Fault::fill_before_accept).time(milliseconds(3), milliseconds(30));
    parcel.overtakes = true;
  }
  sink.send(std::move(parcel));
}

void Nemesis::public_frame(Lane, std::string text, Sink& sink) {
  if (fires(Fault::malformed)) damage(text, random(Fault::malformed));
  const bool subscription = contains(text, "\"method\":\"subscription\"");
  if (subscription && stalled_until_ > now_) return;
  if (subscription && contains(text, "\"channel\":\"book.")) {
    return book_frame(std::move(text), sink);
  }
  sink.send({std::move(text), {}, false});
}

void Nemesis::book_frame(std::string text, Sink& sink) {
  Parcel parcel{std::move(text), {}, false};
  if (contains(parcel.text, "\"type\":\"snapshot\"")) {
    if (fires(Fault::snapshot_late)) {
      parcel.delay = random(Fault::snapshot_late).time(milliseconds(20), milliseconds(300));
      parcel.overtakes = true;
    }
  } else if (fires(Fault::sequence_gap)) {
    return;
  }
  if (fires(Fault::sequence_reset)) move_change_id(parcel.text, random(Fault::sequence_reset));
  if (fires(Fault::bad_levels)) break_levels(parcel.text, random(Fault::bad_levels));
  if (!last_books_.empty() && fires(Fault::stale_book)) {
    sink.send({last_books_[random(Fault::stale_book).below(last_books_.size())], {}, false});
  }
  last_books_.push_back(parcel.text);
  if (last_books_.size() > events_kept) last_books_.pop_front();
  sink.send(std::move(parcel));
}

}  // namespace gimbal::simtest
