// From a read frame to staged events: the hot half of DeribitFeed. See decoder.hpp.
#include "feeds/deribit/decoder.hpp"

#include <cstddef>
#include <cstring>

#include "feeds/deribit/feed_state.hpp"

namespace gimbal::deribit {

std::string_view text(Ignored why) noexcept {
  switch (why) {
    case Ignored::none: return "none";
    case Ignored::heartbeat: return "heartbeat";
    case Ignored::reply: return "reply";
    case Ignored::foreign_reply: return "foreign_reply";
    case Ignored::error_reply: return "error";
    case Ignored::request: return "request";
    case Ignored::bare_result: return "bare_result";
    case Ignored::private_channel: return "private_channel";
    case Ignored::other_channel: return "other_channel";
    case Ignored::not_subscribed: return "not_subscribed";
    case Ignored::unknown_instrument: return "unknown_instrument";
    case Ignored::change_before_snapshot: return "change_before_snapshot";
    case Ignored::nothing_new: return "nothing_new";
    case Ignored::count_: break;
  }
  return "none";
}

DeribitFeed::State::State(const FeedConfig& settings, const SymbolTable& names)
    : config{settings},
      symbols{&names},
      table{settings.channels_max},
      reader{{settings.frame_max, settings.strict}, names},
      bad_channels(names.capacity(), 0),
      book_channel(names.capacity(), no_channel),
      text(32 * 1024) {
  if (config.subscribe_batch == 0) config.subscribe_batch = 1;
  if (config.subscribe_batch > 250) config.subscribe_batch = 250;  // a request is at most 32 kB
}

InstrumentId DeribitFeed::State::instrument(std::string_view name) noexcept {
  const InstrumentId id = symbols->find(name);
  if (id.valid() || !config.learn || learner == nullptr) return id;
  return learner(learner_context, name);
}

Channel* DeribitFeed::State::channel(std::string_view name) noexcept {
  Channel* known = table.find(name);
  if (known != nullptr || !config.learn) return known;
  const ChannelName parsed = parse_channel(name);
  InstrumentId id{};
  if (!parsed.instrument.empty()) {
    id = instrument(parsed.instrument);
    if (!id.valid()) return nullptr;
  }
  Channel* added = want(name, parsed.kind, id);
  if (added == nullptr) return nullptr;
  added->stage = ChannelStage::accepted;
  if (added->is_book()) mark_bad(*added);
  return added;
}

DecodeStatus DeribitFeed::State::ignore(Ignored why) noexcept {
  last.ignored = why;
  ++counters.ignored[static_cast<std::size_t>(why)];
  return DecodeStatus::ignored;
}

DecodeStatus DeribitFeed::State::malformed(const PublicFrame& frame, FeedReason reason,
                                           const FeedCall& call) noexcept {
  ++counters.malformed;
  last.reason = frame.reason;
  call.batch->rollback();
  if (frame.channel != nullptr) {
    Channel& channel = *frame.channel;
    lose(channel, reason, call);
    if (!channel.instrument.valid()) {
      resync_all(call);
    } else {
      resync_channel(channel, call);
      // The status speaks of the instrument's book, and only a snapshot makes that valid again.
      const std::uint32_t book_at = book_channel[channel.instrument.value];
      if (book_at != no_channel && !channel.is_book()) {
        Channel& book = table.all()[book_at];
        mark_bad(book);
        resync_channel(book, call);
      }
    }
  } else if (frame.ignored == Ignored::none) {
    // Whose it was cannot be said: nothing of this session can be trusted.
    mark_all_bad();
    status({}, FeedState::invalid, reason, call);
    resync_all(call);
  }
  return DecodeStatus::malformed;
}

bool DeribitFeed::State::levels(const PublicFrame& frame, std::uint8_t flags,
                                const FeedCall& call) noexcept {
  Event* at = call.batch->extend(frame.levels.size());
  if (at == nullptr) return false;
  Event head;
  head.set_kind(EventKind::book_delta);
  head.add_flag(flags);
  head.venue = config.venue;
  head.instrument = frame.channel->instrument;
  head.recv = call.now;
  head.exch = frame.time;
  BookDelta delta;
  delta.change_id = frame.change_id;
  head.put(delta);
  if (frame.levels.empty()) return true;
  // Each a copy of the first, written where it stays: a level that is put together elsewhere from
  // pieces and read back at once stalls the processor three times.
  const Event* const first = at;
  *at = head;
  for (const LevelRow& row : frame.levels) {
    std::memmove(at, first, sizeof *at);
    std::memcpy(at->payload + offsetof(BookDelta, price), &row.price, sizeof row.price);
    std::memcpy(at->payload + offsetof(BookDelta, amount), &row.amount, sizeof row.amount);
    std::memcpy(at->payload + offsetof(BookDelta, side), &row.side, sizeof row.side);
    ++at;
  }
  return true;
}

DecodeStatus DeribitFeed::State::book(const PublicFrame& frame, const FeedCall& call) noexcept {
  Channel& channel = *frame.channel;
  const bool snapshot =
      channel.kind == ChannelKind::grouped_book || frame.type == BookType::snapshot;
  if (!snapshot) {
    if (!channel.has_snapshot) return ignore(Ignored::change_before_snapshot);
    const bool follows = frame.prev_change_id == channel.change_id ||
                         (frame.prev_change_id == 0 && channel.empty_snapshot);
    if (!follows) {
      ++counters.gaps;
      last.expected = channel.change_id;
      last.found = frame.prev_change_id;
      lose(channel, FeedReason::sequence_gap, call, last.expected, last.found);
      resync_channel(channel, call);
      return DecodeStatus::sequence_gap;
    }
    if (!levels(frame, 0, call)) return malformed(frame, FeedReason::overload, call);
    channel.change_id = frame.change_id;
    if (!frame.levels.empty()) channel.empty_snapshot = false;
    return DecodeStatus::ok;
  }
  BookReset reset;
  reset.change_id = frame.change_id;
  Event e = make_event(EventKind::book_reset, config.venue, channel.instrument, call.now,
                       frame.time, reset);
  e.add_flag(event_flag::snapshot);
  if (!call.batch->push(e) || !levels(frame, event_flag::snapshot, call)) {
    return malformed(frame, FeedReason::overload, call);
  }
  channel.change_id = frame.change_id;
  channel.has_snapshot = true;
  channel.empty_snapshot = frame.levels.empty();
  return DecodeStatus::ok;
}

bool DeribitFeed::State::ticker(const PublicFrame& frame, const FeedCall& call) noexcept {
  Event* at = call.batch->extend(parts_of<Ticker>);
  if (at == nullptr) return false;
  Event head;
  head.set_kind(EventKind::ticker);
  head.venue = config.venue;
  head.instrument = frame.channel->instrument;
  head.recv = call.now;
  head.exch = frame.time;
  write_parts(head, frame.ticker, at);
  return true;
}

bool DeribitFeed::State::trades(const PublicFrame& frame, const FeedCall& call) noexcept {
  for (const TradeRow& row : frame.trades) {
    if (!call.batch->push(make_event(EventKind::trade, config.venue, row.instrument, call.now,
                                     row.time, row.trade))) {
      return false;
    }
  }
  return true;
}

bool DeribitFeed::State::marks(const PublicFrame& frame, const FeedCall& call) noexcept {
  for (const MarkRow& row : frame.marks) {
    Event* at = call.batch->extend(parts_of<Ticker>);
    if (at == nullptr) return false;
    Ticker t;
    t.mark = row.mark;
    t.mark_iv_nano = row.iv_nano;
    Event head;
    head.set_kind(EventKind::ticker);
    head.venue = config.venue;
    head.instrument = row.instrument;
    head.recv = call.now;
    head.exch = row.time;
    write_parts(head, t, at);
  }
  return true;
}

bool DeribitFeed::State::index(const PublicFrame& frame, const FeedCall& call) noexcept {
  IndexPrice price;
  price.price = frame.index;
  price.underlying = frame.channel->underlying;
  return call.batch->push(make_event(EventKind::index_price, config.venue,
                                     frame.channel->instrument, call.now, frame.time, price));
}

DecodeStatus DeribitFeed::State::state_change(const PublicFrame& frame,
                                              const FeedCall& call) noexcept {
  const InstrumentId found = symbols->find(frame.listed_name);
  const InstrumentId id = found.value < names_end ? found : InstrumentId{};
  const bool listing = frame.listed == ListedState::created || frame.listed == ListedState::started;
  if (listing) ++counters.listings;
  if (!id.valid()) {
    if (listing && listed_count < listed_max && frame.listed_name.size() <= symbol_text_max) {
      ListedName& slot = listed[listed_count++];
      std::memcpy(slot.text.data(), frame.listed_name.data(), frame.listed_name.size());
      slot.length = frame.listed_name.size();
    }
    return ignore(listing ? Ignored::nothing_new : Ignored::unknown_instrument);
  }
  if (listing) return ignore(Ignored::nothing_new);
  InstrumentChange change;
  change.change = frame.listed == ListedState::settled ? InstrumentChangeKind::settle
                                                       : InstrumentChangeKind::invalidate;
  if (!call.batch->push(make_event(EventKind::instrument_change, config.venue, id, call.now,
                                   frame.time, change))) {
    return malformed(frame, FeedReason::overload, call);
  }
  return DecodeStatus::ok;
}

DecodeStatus DeribitFeed::State::platform(const PublicFrame& frame, const FeedCall& call) noexcept {
  if (!frame.lock_said) return ignore(Ignored::nothing_new);
  if (frame.locked) {
    locked = true;
    mark_all_bad();
    status({}, FeedState::invalid, FeedReason::stale, call);
    return DecodeStatus::ok;
  }
  if (!locked) return ignore(Ignored::nothing_new);
  locked = false;
  resync_all(call);
  return ignore(Ignored::nothing_new);
}

DecodeStatus DeribitFeed::State::subscription(const PublicFrame& frame,
                                              const FeedCall& call) noexcept {
  if (frame.ignored != Ignored::none) return ignore(frame.ignored);
  Channel& channel = *frame.channel;
  last.kind = channel.kind;
  if (channel.stage == ChannelStage::retired) return ignore(Ignored::not_subscribed);
  DecodeStatus result = DecodeStatus::ok;
  bool fits = true;
  switch (channel.kind) {
    case ChannelKind::book:
    case ChannelKind::grouped_book: result = book(frame, call); break;
    case ChannelKind::quote:
    case ChannelKind::ticker: fits = ticker(frame, call); break;
    case ChannelKind::trades:
    case ChannelKind::trades_of_kind: fits = trades(frame, call); break;
    case ChannelKind::mark_prices: fits = marks(frame, call); break;
    case ChannelKind::price_index:
    case ChannelKind::perpetual: fits = index(frame, call); break;
    case ChannelKind::instrument_state: result = state_change(frame, call); break;
    case ChannelKind::platform_state: result = platform(frame, call); break;
    case ChannelKind::other: result = ignore(Ignored::other_channel); break;
  }
  if (!fits) return malformed(frame, FeedReason::overload, call);
  counters.ignored[static_cast<std::size_t>(Ignored::unknown_instrument)] += frame.unknown_rows;
  if (result == DecodeStatus::ok && (!channel.is_book() || channel.has_snapshot)) {
    if (channel.stage == ChannelStage::waiting) channel.stage = ChannelStage::accepted;
    if (!locked) recover(channel, call);
  }
  return result;
}

DecodeStatus DeribitFeed::State::decode(const PublicFrame& frame, const FeedCall& call) noexcept {
  switch (frame.shape) {
    case FrameShape::malformed: return malformed(frame, FeedReason::malformed, call);
    case FrameShape::subscription: return subscription(frame, call);
    case FrameShape::heartbeat: return ignore(Ignored::heartbeat);
    case FrameShape::test_request:
      // Not answered at once, the venue closes the connection.
      (void)call.outbox->push(R"({"jsonrpc":"2.0","id":2,"method":"public/test","params":{}})");
      return ignore(Ignored::heartbeat);
    case FrameShape::reply: {
      const bool ours = frame.id == heartbeat_id || frame.id == test_id ||
                        (frame.id >= first_channel_id && frame.id < next_id) || config.learn;
      on_reply(frame, call);
      return ignore(ours ? Ignored::reply : Ignored::foreign_reply);
    }
    case FrameShape::error: on_request_error(frame, call); return ignore(Ignored::error_reply);
    case FrameShape::request: return ignore(Ignored::request);
    case FrameShape::bare: return ignore(Ignored::bare_result);
  }
  return DecodeStatus::ignored;
}

void DeribitFeed::State::finish(const FeedCall& call, std::size_t staged_before) noexcept {
  const std::size_t staged = call.batch->staged();
  if (staged > staged_before) {
    // Every part of a multi-record unit carries the same head.
    Event* event = call.batch->extend(0);
    std::size_t parts = event[-1].part_count();
    while (parts-- > 0) (--event)->add_flag(event_flag::last_in_packet);
    counters.events += staged - staged_before;
  }
  call.batch->commit();
}

}  // namespace gimbal::deribit
