#include "ops/app/frame_replay.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "ops/app/feed_interval.hpp"

namespace gimbal {
namespace {

constexpr std::size_t shown_text_max = 400;

std::int64_t no_wall_clock() { return 0; }

// A login that is only ever shown answers: what it writes goes nowhere.
deribit::LoginConfig silent_login(std::int64_t first_id, const char* scope) {
  static constexpr std::string_view secret = "replay";
  deribit::LoginConfig login;
  login.client_id = "replay";
  login.client_secret = secret;
  login.required_scope = scope;
  login.first_request_id = first_id;
  login.unix_ms = &no_wall_clock;
  return login;
}

// Of bytes that FramesAhead gave: there is room to read behind them.
Frame frame_of(std::span<const std::byte> bytes) {
  auto* text = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data()));
  return Frame{text, bytes.size(), bytes.size() + frame_padding};
}

// Equal but for what the sequencer stamps.
bool same_event(const Event& journal, const Event& replayed) noexcept {
  using Words = std::array<std::uint64_t, sizeof(Event) / 8>;
  static_assert(offsetof(Event, seq_kind_flags) == 0 && offsetof(Event, queue_ns) == 24);
  Words a, b;
  std::memcpy(a.data(), &journal, sizeof a);
  std::memcpy(b.data(), &replayed, sizeof b);
  std::uint64_t differs = (a[0] ^ b[0]) & ~Event::seq_mask;
  differs |= (a[3] ^ b[3]) & ~std::uint64_t{UINT32_MAX};
  for (const std::size_t i : {1u, 2u, 4u, 5u, 6u, 7u}) differs |= a[i] ^ b[i];
  return differs == 0;
}

// Why the journal lacks events that the frames give.
const char* events_missing(std::uint32_t detail) {
  switch (static_cast<ConflatedBy>(detail)) {
    case ConflatedBy::tickers: return "tickers were conflated: the market ring was over half full";
    case ConflatedBy::market_ring: return "the market ring was full: the feeds started over";
    case ConflatedBy::order_ring: return "the order ring was full: the order session started over";
  }
  return "events are missing from the journal";
}

std::string shown(std::string_view text) {
  std::string out{text.substr(0, shown_text_max)};
  if (text.size() > shown_text_max) out += "...";
  return out;
}

}  // namespace

FrameReplay::FrameReplay(JournalOrigin& origin, std::uint32_t epoch, bool told, CoreAhead& core,
                         const JournalSegments& segments)
    : core_{core}, origin_{origin}, told_{told}, reader_{segments} {
  const Config& config = origin.loaded->config;
  const VenueId venue{0};
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const auto slot = static_cast<std::uint16_t>(hedge_slot + i);
    deribit::DeribitLogin login{silent_login(feed_login_first_id(slot), "")};
    feeds_[i].calls = std::make_unique<Calls>(
        Calls::Feed{feed_decoder(config, origin.universe, venue, slot), std::move(login)},
        books_of(origin.universe, slot));
  }
  budget_ = std::make_unique<deribit::RateBudget>(rate_limits(config.venues[0]));
  (void)budget_->set_quota(0, 1000);
  terms_ = origin.universe.table();
  deribit::GatewayConfig account =
      gateway_config(*origin.loaded, venue, epoch,
                     silent_login(order_login_first_id, "trade:read_write account:read_write"));
  tags_.start(account.config_hash);
  account.tags = &tags_;
  gateway_ =
      std::make_unique<deribit::DeribitGateway>(std::move(account), origin.universe.symbols(),
                                                terms_, origin.universe.underlyings(), *budget_);
}

// The word is the first of each session's tape.
bool FrameReplay::told_instruments(const JournalSegments& segments) {
  JournalReader reader{segments, frame_stream};
  JournalRecord record;
  return reader.next(record) == JournalStatus::record && record.type == RecordType::frame &&
         record.frame.kind == FrameKind::named;
}

void FrameReplay::run() {
  JournalRecord record;
  while (!result_.difference.found) {
    result_.status = reader_.next(record);
    if (result_.status != JournalStatus::record) break;
    if (record.type == RecordType::gap) {
      result_.parted = std::to_string(record.gap.records) + " frames were not kept";
      break;
    }
    if (record.type == RecordType::frame && !take(record)) break;
  }
  // Where the two part, what a waiting timer needs may be among what is missing.
  if (result_.parted.empty() && !result_.difference.found) run_deferred();
  if (result_.status == JournalStatus::torn || result_.status == JournalStatus::corrupt) {
    result_.error = reader_.place_of_error();
  }
  if (result_.parted.empty()) follow_rest();
  while (!result_.difference.found && core_.next()) core_.forget();  // the digest, to the end
  if (result_.parted.empty()) result_.parted = core_.parted();
}

// No frame is left: what the journal still has of the sessions comes from none. Of a stream that
// was closed in order that is a difference; one that ends earlier (a death, a disk that took no
// more) was compared up to there.
void FrameReplay::follow_rest() {
  const bool whole = result_.status == JournalStatus::end;
  bool more = false;
  while (!result_.difference.found && core_.next()) {
    compare_orders(false);
    if (whole) continue;
    more =
        more || !core_.feed_events().empty() || (written_.empty() && !core_.order_events().empty());
    if (written_.empty()) {
      core_.forget();
    } else {
      core_.feed_events().pop(core_.feed_events().size());
    }
  }
  if (!result_.difference.found) compare_orders(true);
  if (!result_.difference.found && whole) check_left_over();
  if (more && result_.status == JournalStatus::open_end) {
    result_.parted = "the frame stream ends before the journal";
  }
}

void FrameReplay::check_left_over() {
  Fifo<Event>& left = core_.feed_events().empty() ? core_.order_events() : core_.feed_events();
  if (left.empty()) return;
  const std::size_t parts = std::min<std::size_t>(left[0].part_count(), left.size());
  differ("an event of the journal comes from no frame", left[0].seq().value,
         unit_text(&left[0], parts), "nothing");
}

void FrameReplay::check_rest() {
  JournalRecord record;
  JournalStatus status = JournalStatus::record;
  while (status == JournalStatus::record) status = reader_.next(record);
  if (status != JournalStatus::corrupt) return;
  result_.status = status;
  result_.error = reader_.place_of_error();
}

std::string FrameReplay::parting(const FrameRecord& frame) const {
  if (!core_.parted().empty()) return core_.parted();
  const bool change = frame.kind == FrameKind::listed || frame.kind == FrameKind::retired;
  if (change && !told_) return "instruments were listed or retired while running";
  if (frame.kind == FrameKind::conflated) return events_missing(frame.detail);
  return {};
}

bool FrameReplay::take(const JournalRecord& record) {
  const FrameRecord& frame = record.frame;
  result_.parted = parting(frame);
  if (!result_.parted.empty()) return false;
  ++result_.frames;
  if (frame.kind == FrameKind::named || frame.kind == FrameKind::terms) {
    return note_instrument(frame, record.bytes);
  }
  const bool nested = frame.kind == FrameKind::resync || frame.kind == FrameKind::text_out;
  // What happened inside a timer's call is recorded behind it.
  if (!nested) run_deferred();
  if (result_.difference.found) return false;
  frame_ = frame;
  if (frame.kind == FrameKind::text_in) {
    ++result_.messages;
    result_.bytes += record.bytes.size();
  }
  if (frame.slot == order_slot) {
    order_frame(frame, record.bytes);
  } else {
    feed_frame(frame, record.bytes);
  }
  if (result_.difference.found && result_.difference.text.empty()) {
    result_.difference.text =
        shown({reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()});
  }
  return !result_.difference.found;
}

// --- instruments ------------------------------------------------------------------------------

// What a session learnt in the midst of a call, before the text that needed it: nothing waits.
bool FrameReplay::note_instrument(const FrameRecord& frame, std::span<const std::byte> bytes) {
  if (frame.kind == FrameKind::named) {
    note_name(frame, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return !result_.difference.found;
  }
  Instrument fresh;
  static_assert(std::is_trivially_copyable_v<Instrument>);
  if (bytes.size() != sizeof fresh) {
    result_.parted = "the terms of an instrument are those of another build";
    return false;
  }
  std::memcpy(static_cast<void*>(&fresh), bytes.data(), sizeof fresh);
  take_definition(terms_, fresh);
  return true;
}

void FrameReplay::note_name(const FrameRecord& frame, std::string_view name) {
  std::size_t end = frame.detail;
  if (!name.empty()) {
    const InstrumentId id{static_cast<std::uint16_t>(frame.detail)};
    if (!origin_.universe.symbols().add(name, id)) {
      frame_ = frame;
      return differ("an instrument's number has another name", frame.seq,
                    std::string{origin_.universe.symbols().name(id)}, std::string{name});
    }
    end = std::size_t{id.value} + 1;
  }
  if (frame.slot == order_slot) return gateway_->know(end);
  const std::size_t which = static_cast<std::size_t>(frame.slot) - hedge_slot;
  if (which < feeds_.size()) feeds_[which].calls->feed().feed().know(end);
}

// --- feeds ------------------------------------------------------------------------------------

void FrameReplay::feed_frame(const FrameRecord& frame, std::span<const std::byte> bytes) {
  const std::size_t which = static_cast<std::size_t>(frame.slot) - hedge_slot;
  if (which >= feeds_.size()) {
    return differ("a frame of a session that this configuration does not have", frame.seq, "", "");
  }
  FeedSide& side = feeds_[which];
  if (frame.kind == FrameKind::resync) {
    side.waiting.push_back({frame.seq, InstrumentId{static_cast<std::uint16_t>(frame.detail)}});
    return;
  }
  // On one thread with the core, a timer's events may make the core ask for a resync, which is
  // carried out in the same call: it waits for the records that follow.
  const bool waits = frame.kind == FrameKind::timer || frame.kind == FrameKind::ended;
  if (waits && frame.seq != 0) {
    deferred_ = frame;
    has_deferred_ = true;
    return;
  }
  feed_call(side, frame, bytes);
}

void FrameReplay::run_deferred() {
  if (!has_deferred_) return;
  has_deferred_ = false;
  frame_ = deferred_;
  feed_call(feeds_[static_cast<std::size_t>(deferred_.slot) - hedge_slot], deferred_, {});
}

void FrameReplay::feed_call(FeedSide& side, const FrameRecord& frame,
                            std::span<const std::byte> bytes) {
  const RecvTime now{frame.recv_mono_ns};
  Calls& calls = *side.calls;
  Sink sink{this};
  const std::uint64_t events_before = result_.events;
  switch (frame.kind) {
    case FrameKind::opened: calls.opened(now); break;
    case FrameKind::text_in: calls.text(frame_of(bytes), now); break;
    case FrameKind::ended: calls.ended(now); break;
    case FrameKind::timer:
      if (side.listed) calls.subscribe_listed(now);
      side.listed = false;
      calls.timer(now);
      break;
    case FrameKind::listed: return list(side, frame.detail);
    case FrameKind::retired:
      calls.retire(InstrumentId{static_cast<std::uint16_t>(frame.detail)}, now);
      calls.outbox().clear();
      return;
    case FrameKind::text_out:
    case FrameKind::resync:
    case FrameKind::conflated:
    case FrameKind::named:
    case FrameKind::terms: return;
  }
  if (frame.kind != FrameKind::opened) {
    calls.pass_on(sink);
    // Asked for before this call or by its own events; later wishes belong to later calls. A text's
    // record comes behind its events, a timer's before them.
    if (!side.waiting.empty()) {
      std::uint64_t up_to = UINT64_MAX;
      if (frame.seq != 0) {
        up_to = frame.kind == FrameKind::text_in ? next_feed_seq() - 1
                                                 : frame.seq + (result_.events - events_before);
      }
      adopt_resyncs(side, up_to);
    }
    calls.run_resyncs(now, sink);
  }
  calls.outbox().clear();
}

// As the cold side's task: wanted now, asked for together by the timer that follows.
void FrameReplay::list(FeedSide& side, std::uint32_t instrument) {
  const VenueConfig& venue = origin_.loaded->config.venues[0];
  side.calls->list(InstrumentId{static_cast<std::uint16_t>(instrument)},
                   interval_of(venue.option_book_interval), interval_of(venue.ticker_interval));
  side.listed = true;
}

void FrameReplay::adopt_resyncs(FeedSide& side, std::uint64_t up_to) {
  std::size_t taken = 0;
  while (taken < side.waiting.size() && side.waiting[taken].seq <= up_to) {
    (void)side.calls->want_resync(side.waiting[taken].instrument);
    ++taken;
  }
  side.waiting.erase(side.waiting.begin(),
                     side.waiting.begin() + static_cast<std::ptrdiff_t>(taken));
}

std::uint64_t FrameReplay::next_feed_seq() {
  if (!wait_for(core_.feed_events(), 1)) return UINT64_MAX;
  return core_.feed_events()[0].seq().value;
}

void FrameReplay::compare_feed(std::span<Event> all) {
  for (std::size_t at = 0; at < all.size() && !result_.difference.found;) {
    const std::size_t parts = std::min<std::size_t>(all[at].part_count(), all.size() - at);
    if (!compare_unit(core_.feed_events(), &all[at], parts)) return;
    at += parts;
  }
}

bool FrameReplay::wait_for(Fifo<Event>& events, std::size_t count) {
  while (events.size() < count) {
    if (!core_.next()) return false;
  }
  return true;
}

// False: nothing more can be compared here.
bool FrameReplay::compare_unit(Fifo<Event>& journal, const Event* unit, std::size_t parts) {
  if (!wait_for(journal, parts)) {
    // A stop leaves in the rings what came after the last step: it was decoded, never stepped.
    result_.unchecked += parts;
    return false;
  }
  for (std::size_t i = 0; i < parts; ++i) {
    if (same_event(journal[i], unit[i])) continue;
    const std::size_t theirs = std::min<std::size_t>(journal[0].part_count(), journal.size());
    differ("a decoded event is not the journal's", journal[0].seq().value,
           unit_text(&journal[0], theirs), unit_text(unit, parts));
    return false;
  }
  for (std::size_t i = 0; i < parts; ++i) {
    agreed_[agreed_count_++ % agreed_.size()] = journal[i];
  }
  journal.pop(parts);
  result_.events += parts;
  return true;
}

// --- orders -----------------------------------------------------------------------------------

void FrameReplay::order_frame(const FrameRecord& frame, std::span<const std::byte> bytes) {
  const RecvTime now{frame.recv_mono_ns};
  switch (frame.kind) {
    case FrameKind::opened: gateway_->on_open(now, ++generation_, batch_, outbox_); break;
    case FrameKind::text_in: (void)gateway_->on_frame(frame_of(bytes), now, batch_, outbox_); break;
    case FrameKind::ended: gateway_->on_close(now, batch_); break;
    case FrameKind::timer: gateway_->on_timer(now, batch_, outbox_); break;
    case FrameKind::text_out:
      return order_text(frame, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    case FrameKind::resync:
    case FrameKind::listed:
    case FrameKind::retired:
    case FrameKind::conflated:
    case FrameKind::named:
    case FrameKind::terms: return;
  }
  for (const Event& e : batch_.committed()) written_.push(e);
  batch_.clear();
  outbox_.clear();
  compare_orders(false);
}

// The journal's private events come later than their frames, over a ring: both sides wait for the
// other.
void FrameReplay::compare_orders(bool to_the_end) {
  Fifo<Event>& journal = core_.order_events();
  while (!written_.empty() && !result_.difference.found) {
    const std::size_t parts = std::min<std::size_t>(written_[0].part_count(), written_.size());
    if (journal.size() < parts && !to_the_end) return;
    if (!compare_unit(journal, &written_[0], parts)) return;
    written_.pop(parts);
  }
}

// One that an event up to `up_to` caused: a text is written in the step of its cause.
bool FrameReplay::next_outgoing(std::uint64_t up_to, Outgoing& out) {
  while (core_.outgoing().empty()) {
    if (core_.seq() >= up_to || !core_.next()) return false;
  }
  if (core_.outgoing()[0].seq > up_to) return false;
  out = std::move(core_.outgoing()[0]);
  core_.outgoing().pop();
  return true;
}

bool FrameReplay::next_sent(bool mass, std::uint64_t up_to, Outgoing& out) {
  Outgoing next;
  while (next_outgoing(up_to, next)) {
    if (next.command.kind() == CommandKind::cancel_all) {
      // One that the gateway could not write left no text.
      if (!mass) continue;
      out = std::move(next);
      return true;
    }
    while (core_.fates().empty() && core_.next()) {}
    bool sent = true;  // the journal ended before it said so
    if (!core_.fates().empty()) {
      sent = core_.fates()[0].sent;
      core_.fates().pop();
    }
    if (!sent) continue;
    out = std::move(next);
    return true;
  }
  return false;
}

void FrameReplay::order_text(const FrameRecord& frame, std::string_view text) {
  const RecvTime now{frame.recv_mono_ns};
  if (!mass_texts_.empty()) {  // a mass cancel may take several texts
    const std::string encoded = mass_texts_.front();
    mass_texts_.erase(mass_texts_.begin());
    return compare_text(frame.seq, text, encoded);
  }
  Outgoing next;
  const bool mass = text.find("\"private/cancel_all") != std::string_view::npos;
  // With one hot thread the frame says how far the core was; with three, nothing does.
  const std::uint64_t up_to = frame.seq != 0 ? frame.seq : UINT64_MAX;
  if (!next_sent(mass, up_to, next)) {
    const bool cut = core_.ended() && core_.journal() != JournalStatus::end;
    if (!cut) {
      differ("a text left that the replayed core did not ask for", frame.seq, std::string{text},
             "nothing");
    }
    return;
  }
  for (; !core_.tags().empty(); core_.tags().pop()) {
    (void)tags_.add(core_.tags()[0].first, core_.tags()[0].tag);
  }
  std::array<char, encoded_order_max> out{};
  Encoded encoded;
  switch (next.command.kind()) {
    case CommandKind::place: encoded = gateway_->encode(next.command.place(), now, out); break;
    case CommandKind::replace: encoded = gateway_->encode(next.command.replace(), now, out); break;
    case CommandKind::cancel: encoded = gateway_->encode(next.command.cancel(), now, out); break;
    case CommandKind::cancel_all: {
      (void)gateway_->encode(next.command.cancel_all(), now, outbox_);
      for (std::size_t i = 0; i < outbox_.size(); ++i) mass_texts_.emplace_back(outbox_[i]);
      outbox_.clear();
      if (mass_texts_.empty()) return compare_text(next.seq, text, {});
      const std::string first = mass_texts_.front();
      mass_texts_.erase(mass_texts_.begin());
      return compare_text(next.seq, text, first);
    }
    default: return;
  }
  compare_text(next.seq, text, {out.data(), encoded.bytes});
}

void FrameReplay::compare_text(std::uint64_t seq, std::string_view text, std::string_view encoded) {
  if (text == encoded) {
    ++result_.texts;
    return;
  }
  differ("an encoded order is not the text that left", seq, std::string{text},
         encoded.empty() ? "refused by the gateway" : std::string{encoded});
}

// --- the difference ---------------------------------------------------------------------------

std::string FrameReplay::unit_text(const Event* unit, std::size_t parts) {
  JournalLines lines{origin_.universe.symbols()};
  JournalRecord record;
  record.type = RecordType::event;
  std::string out;
  for (std::size_t i = 0; i < parts; ++i) {
    record.event = unit[i];
    const std::string line = lines.json(record);
    if (!line.empty()) out = line;
  }
  return out;
}

void FrameReplay::differ(std::string what, std::uint64_t seq, std::string journal,
                         std::string replayed) {
  FrameDifference& d = result_.difference;
  if (d.found || !core_.parted().empty()) return;
  d.found = true;
  d.what = std::move(what);
  d.seq = seq;
  d.frame = result_.frames;
  d.slot = frame_.slot;
  d.recv_ns = frame_.recv_mono_ns;
  d.journal = std::move(journal);
  d.replayed = std::move(replayed);
  constexpr std::size_t shown_before = 5;
  JournalLines lines{origin_.universe.symbols()};
  JournalRecord record;
  record.type = RecordType::event;
  const std::size_t have = std::min(agreed_count_, agreed_.size());
  for (std::size_t i = agreed_count_ - have; i < agreed_count_; ++i) {
    record.event = agreed_[i % agreed_.size()];
    std::string line = lines.json(record);
    if (!line.empty()) d.before.push_back(std::move(line));
  }
  if (d.before.size() > shown_before) {
    d.before.erase(d.before.begin(), d.before.end() - shown_before);
  }
}

}  // namespace gimbal
