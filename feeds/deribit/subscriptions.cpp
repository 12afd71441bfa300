// Subscribing and resyncing: the cold half of DeribitFeed. What follows from it is in validity.cpp.
#include <algorithm>
#include <cstring>

#include "feeds/deribit/feed_state.hpp"

namespace gimbal::deribit {

namespace {

// Errors after which the same request may pass later.
bool worth_retrying(std::int32_t code) noexcept {
  return code == 10028 || code == 10040 || code == 10041 || code == 10047 || code == 10066 ||
         code == 11051 || code == 11094 || code == 13028;
}

bool needs_data(ChannelKind kind) noexcept {
  return kind == ChannelKind::book || kind == ChannelKind::grouped_book ||
         kind == ChannelKind::ticker || kind == ChannelKind::quote;
}

}  // namespace

Channel* DeribitFeed::State::want(std::string_view name, ChannelKind kind,
                                  InstrumentId id) noexcept {
  Channel* channel = table.add(name);
  if (channel == nullptr) return nullptr;
  channel->kind = kind;
  channel->instrument = id;
  if (channel->is_book() && id.valid() && book_channel[id.value] == no_channel) {
    book_channel[id.value] = static_cast<std::uint32_t>(table.size() - 1);
  }
  if (open) {
    const bool gates = channel->is_book() ||
                       (needs_data(kind) && id.valid() && book_channel[id.value] == no_channel);
    if (gates) mark_bad(*channel);
  }
  return channel;
}

void DeribitFeed::State::reset_channels() noexcept {
  std::fill(bad_channels.begin(), bad_channels.end(), std::uint8_t{0});
  for (Channel& channel : table.all()) {
    if (channel.stage == ChannelStage::retired) continue;
    channel.stage = ChannelStage::idle;
    channel.has_snapshot = channel.empty_snapshot = channel.bad = false;
    channel.failures = 0;
    channel.request_id = 0;
    channel.change_id = 0;
    const bool gates =
        channel.is_book() || (needs_data(channel.kind) && channel.instrument.valid() &&
                              book_channel[channel.instrument.value] == no_channel);
    if (gates) mark_bad(channel);
  }
  for (Pending& p : pending) p.id = 0;
  all_waiting = false;
  all_failures = 0;
}

void DeribitFeed::State::request(std::uint32_t first, std::uint32_t count, bool again,
                                 const FeedCall& call) noexcept {
  const auto channels = table.all().subspan(first, count);
  const bool priv = config.private_subscribe;
  if (again) {
    const std::size_t n =
        write_channel_request(next_id++, priv ? "private/unsubscribe" : "public/unsubscribe",
                              channels, ChannelStage::idle, text);
    if (n == 0 || !call.outbox->push({text.data(), n})) again = false;
  }
  const std::int64_t id = next_id++;
  const std::size_t n = write_channel_request(id, priv ? "private/subscribe" : "public/subscribe",
                                              channels, ChannelStage::idle, text);
  const bool sent = n != 0 && call.outbox->push({text.data(), n});
  Pending* slot = find_pending(0);
  if (slot != nullptr && sent) *slot = Pending{id, first, count};
  for (Channel& channel : channels) {
    if (channel.stage != ChannelStage::idle) continue;
    // What could not be queued is asked for again when its answer is overdue.
    channel.stage = ChannelStage::requested;
    channel.request_id = id;
    channel.asked_at = call.now;
    channel.due = call.now + config.answer_timeout;
  }
}

void DeribitFeed::State::request_idle(bool again, const FeedCall& call) noexcept {
  const auto channels = table.all();
  const auto total = static_cast<std::uint32_t>(channels.size());
  std::uint32_t first = 0;
  std::size_t idle = 0;
  for (std::uint32_t at = 0; at < total; ++at) {
    if (channels[at].stage != ChannelStage::idle) continue;
    if (idle == 0) first = at;
    if (++idle < config.subscribe_batch) continue;
    request(first, at + 1 - first, again, call);
    idle = 0;
  }
  if (idle > 0) request(first, total - first, again, call);
}

Nanos DeribitFeed::State::delay_after(std::uint8_t failures) const noexcept {
  if (failures == 0) return {};
  const int doublings = std::min<int>(failures - 1, 20);
  return std::min(config.resync_delay * (std::int64_t{1} << doublings), config.resync_delay_max);
}

// The wait counts from the newest request: a book that was good for a while since then, and is
// asked for again because its terms changed, has most of it behind it.
bool DeribitFeed::State::back_off(Channel& channel, const FeedCall& call) noexcept {
  if (!open || channel.stage == ChannelStage::requested || channel.stage == ChannelStage::waiting ||
      channel.stage == ChannelStage::retired) {
    return false;  // one at a time
  }
  if (call.now - channel.failed_at > config.resync_delay_max * 2) channel.failures = 0;
  channel.failed_at = call.now;
  ++counters.resyncs;
  const RecvTime due = channel.asked_at + delay_after(channel.failures);
  if (channel.failures < 30) ++channel.failures;
  const bool at_once = due <= call.now;
  channel.stage = at_once ? ChannelStage::idle : ChannelStage::waiting;
  channel.due = due;
  return at_once;
}

void DeribitFeed::State::resync_channel(Channel& channel, const FeedCall& call) noexcept {
  if (!back_off(channel, call)) return;
  request(static_cast<std::uint32_t>(&channel - table.all().data()), 1, true, call);
}

void DeribitFeed::State::resubscribe_all(const FeedCall& call) noexcept {
  for (Channel& channel : table.all()) {
    if (channel.stage != ChannelStage::retired) channel.stage = ChannelStage::idle;
  }
  for (Pending& p : pending) p.id = 0;
  request_idle(true, call);
}

void DeribitFeed::State::resync_all(const FeedCall& call) noexcept {
  if (!open || all_waiting || table.size() == 0) return;
  if (call.now - all_failed_at > config.resync_delay_max * 2) all_failures = 0;
  all_failed_at = call.now;
  ++counters.resyncs;
  const Nanos delay = delay_after(all_failures);
  if (all_failures < 30) ++all_failures;
  if (delay.count == 0) {
    resubscribe_all(call);
    return;
  }
  all_waiting = true;
  all_due = call.now + delay;
}

DeribitFeed::State::Pending* DeribitFeed::State::find_pending(std::int64_t id) noexcept {
  for (Pending& p : pending) {
    if (p.id == id) return &p;
  }
  return nullptr;
}

void DeribitFeed::State::refuse(Channel& channel, const FeedCall& call) noexcept {
  ++counters.not_accepted;
  channel.stage = ChannelStage::refused;
  // A channel of no instrument, or one beside a book, is only counted: its absence shows in the age
  // of what it carries, and a status here would have nothing to lift it.
  if (!channel.instrument.valid()) return;
  if (channel.is_book() || book_channel[channel.instrument.value] == no_channel) {
    lose(channel, FeedReason::not_accepted, call);
  }
}

void DeribitFeed::State::on_reply(const PublicFrame& frame, const FeedCall& call) noexcept {
  Pending* p = find_pending(frame.id);
  if (p == nullptr) return;
  for (const std::string_view name : frame.names) {
    Channel* channel = table.find(name);
    if (channel == nullptr || channel->request_id != frame.id ||
        channel->stage != ChannelStage::requested) {
      continue;
    }
    channel->stage = ChannelStage::accepted;
    channel->due = call.now + config.answer_timeout;
    if (!needs_data(channel->kind)) recover(*channel, call);
    if (channel->kind == ChannelKind::instrument_state) ++counters.listings;  // or one before it
  }
  for (Channel& channel : table.all().subspan(p->first, p->count)) {
    if (channel.request_id == frame.id && channel.stage == ChannelStage::requested) {
      refuse(channel, call);
    }
  }
  p->id = 0;
}

void DeribitFeed::State::on_request_error(const PublicFrame& frame, const FeedCall& call) noexcept {
  Pending* p = find_pending(frame.id);
  if (p == nullptr) return;
  for (Channel& channel : table.all().subspan(p->first, p->count)) {
    if (channel.request_id != frame.id || channel.stage != ChannelStage::requested) continue;
    if (!worth_retrying(frame.error_code)) {
      refuse(channel, call);
      continue;
    }
    if (channel.failures < 30) ++channel.failures;
    channel.failed_at = call.now;
    channel.stage = ChannelStage::waiting;
    channel.due = call.now + delay_after(channel.failures);
  }
  p->id = 0;
}

void DeribitFeed::State::timer(const FeedCall& call) noexcept {
  if (!open) return;
  if (all_waiting && call.now >= all_due) {
    all_waiting = false;
    resubscribe_all(call);
  }
  // What was asked for together comes due together, and goes into one request again: one for each
  // channel would use up the venue's rate.
  bool any = false;
  for (Channel& channel : table.all()) {
    if (channel.stage == ChannelStage::waiting && call.now >= channel.due) {
      channel.stage = ChannelStage::idle;
      any = true;
    } else if (channel.stage == ChannelStage::requested && call.now >= channel.due) {
      if (Pending* p = find_pending(channel.request_id); p != nullptr) p->id = 0;
      channel.stage = ChannelStage::idle;  // no answer: ask again, backing off
      any = back_off(channel, call) || any;
    } else if (channel.stage == ChannelStage::accepted && channel.is_book() &&
               !channel.has_snapshot && call.now >= channel.due && !all_waiting) {
      // Accepted, but the snapshot never came. A book that was given up together with all others
      // is asked for together with them.
      any = back_off(channel, call) || any;
    }
  }
  if (any) request_idle(true, call);
}

// What is still subscribed ends with the instrument, or with this request.
void DeribitFeed::State::retire(InstrumentId id, const FeedCall& call) noexcept {
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    Channel& channel = table.all()[i];
    if (channel.instrument != id || channel.stage == ChannelStage::retired) continue;
    if (open && channel.stage == ChannelStage::accepted) {
      const std::size_t n = write_channel_request(
          next_id++, config.private_subscribe ? "private/unsubscribe" : "public/unsubscribe",
          table.all().subspan(i, 1), ChannelStage::accepted, text);
      if (n != 0) (void)call.outbox->push({text.data(), n});
    }
    mark_bad(channel);
    channel.stage = ChannelStage::retired;
  }
}

}  // namespace gimbal::deribit
