// DeribitFeed's public face: what to subscribe, and the calls of a session. See decoder.hpp.
#include <array>
#include <cstdio>

#include "feeds/deribit/feed_state.hpp"

namespace gimbal::deribit {

// ------------------------------------------------------------------------------

DeribitFeed::DeribitFeed(const FeedConfig& config, const SymbolTable& symbols)
    : state_{std::make_unique<State>(config, symbols)} {}
DeribitFeed::DeribitFeed(DeribitFeed&&) noexcept = default;
DeribitFeed& DeribitFeed::operator=(DeribitFeed&&) noexcept = default;
DeribitFeed::~DeribitFeed() = default;

namespace {

// printf into a fixed buffer; empty when it does not fit.
class ChannelText {
 public:
  template <class... Args>
  explicit ChannelText(const char* format, Args... args) {
    const int n = std::snprintf(text_.data(), text_.size(), format, args...);
    if (n > 0 && static_cast<std::size_t>(n) < text_.size()) size_ = static_cast<std::size_t>(n);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, channel_text_max + 1> text_{};
  std::size_t size_{0};
};

// snprintf arguments of a text that is not zero-terminated.
int length(std::string_view t) noexcept { return static_cast<int>(t.size()); }

}  // namespace

bool DeribitFeed::want_book(InstrumentId id, Interval interval) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty()) return false;
  const ChannelText t{"book.%.*s.%s", length(name), name.data(), text(interval).data()};
  return state_->want(t.view(), ChannelKind::book, id) != nullptr;
}

bool DeribitFeed::want_grouped_book(InstrumentId id, std::string_view group, unsigned depth,
                                    Interval interval) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty() || group.empty() || interval == Interval::raw) return false;
  const ChannelText t{"book.%.*s.%.*s.%u.%s", length(name), name.data(),          length(group),
                      group.data(),           depth,        text(interval).data()};
  return state_->want(t.view(), ChannelKind::grouped_book, id) != nullptr;
}

bool DeribitFeed::want_quote(InstrumentId id) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty()) return false;
  const ChannelText t{"quote.%.*s", length(name), name.data()};
  return state_->want(t.view(), ChannelKind::quote, id) != nullptr;
}

bool DeribitFeed::want_ticker(InstrumentId id, Interval interval) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty()) return false;
  const ChannelText t{"ticker.%.*s.%s", length(name), name.data(), text(interval).data()};
  return state_->want(t.view(), ChannelKind::ticker, id) != nullptr;
}

bool DeribitFeed::want_trades(InstrumentId id, Interval interval) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty()) return false;
  const ChannelText t{"trades.%.*s.%s", length(name), name.data(), text(interval).data()};
  return state_->want(t.view(), ChannelKind::trades, id) != nullptr;
}

bool DeribitFeed::want_perpetual(InstrumentId id, UnderlyingId underlying, Interval interval) {
  const std::string_view name = state_->symbols->name(id);
  if (name.empty()) return false;
  const ChannelText t{"perpetual.%.*s.%s", length(name), name.data(), text(interval).data()};
  Channel* channel = state_->want(t.view(), ChannelKind::perpetual, id);
  if (channel != nullptr) channel->underlying = underlying;
  return channel != nullptr;
}

bool DeribitFeed::want_price_index(std::string_view index, UnderlyingId underlying) {
  const ChannelText t{"deribit_price_index.%.*s", length(index), index.data()};
  Channel* channel = state_->want(t.view(), ChannelKind::price_index, {});
  if (channel != nullptr) channel->underlying = underlying;
  return channel != nullptr;
}

bool DeribitFeed::want_mark_prices(std::string_view index) {
  const ChannelText t{"markprice.options.%.*s", length(index), index.data()};
  return state_->want(t.view(), ChannelKind::mark_prices, {}) != nullptr;
}

bool DeribitFeed::want_instrument_state(std::string_view kind, std::string_view currency) {
  const ChannelText t{"instrument.state.%.*s.%.*s", length(kind), kind.data(), length(currency),
                      currency.data()};
  return state_->want(t.view(), ChannelKind::instrument_state, {}) != nullptr;
}

bool DeribitFeed::want_platform_state() {
  return state_->want("platform_state", ChannelKind::platform_state, {}) != nullptr;
}

void DeribitFeed::know(std::size_t end) noexcept { state_->names_end = end; }

void DeribitFeed::subscribe_new(RecvTime now, Outbox& outbox) {
  if (state_->open) state_->request_idle(false, {now, nullptr, &outbox});
}

void DeribitFeed::retire(InstrumentId id, RecvTime now, Outbox& outbox) {
  if (state_->symbols->name(id).empty()) return;
  state_->retire(id, {now, nullptr, &outbox});
}

void DeribitFeed::on_open(RecvTime now, Outbox& outbox) {
  State& s = *state_;
  s.open = true;
  s.silent = s.locked = false;
  s.last_frame_at = now;
  ++s.generation;
  s.reset_channels();
  if (s.config.heartbeat_s > 0) {
    std::array<char, 128> request{};
    const int n = std::snprintf(
        request.data(), request.size(),
        R"({"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":%u}})",
        s.config.heartbeat_s);
    (void)outbox.push({request.data(), static_cast<std::size_t>(n)});
  }
  s.request_idle(false, {now, nullptr, &outbox});
}

DecodeStatus DeribitFeed::on_frame(const Frame& frame, RecvTime recv, EventBatch& batch,
                                   Outbox& outbox) {
  State& s = *state_;
  const FeedCall call{recv, &batch, &outbox};
  ++s.counters.frames;
  s.last = LastFrame{};
  s.last_frame_at = recv;
  batch.rollback();
  const std::size_t staged_before = batch.staged();
  if (s.silent) {
    s.silent = false;
    s.resync_all(call);
  }
  const PublicFrame& read = s.reader.read(frame, s);
  s.last.channel = read.channel_name;
  if (read.channel != nullptr) s.last.kind = read.channel->kind;
  const DecodeStatus status = s.decode(read, call);
  if (read.channel != nullptr && read.channel->is_book()) {
    s.last.change_id = read.channel->change_id;
    s.last.book_valid = read.channel->has_snapshot;
  }
  s.finish(call, staged_before);
  return status;
}

void DeribitFeed::on_close(RecvTime now, EventBatch& batch) {
  State& s = *state_;
  const FeedCall call{now, &batch, nullptr};
  const std::size_t staged_before = batch.staged();
  s.open = false;
  s.reset_channels();
  s.status({}, FeedState::invalid, FeedReason::disconnected, call);
  s.finish(call, staged_before);
}

void DeribitFeed::on_timer(RecvTime now, Outbox& outbox, EventBatch& batch) {
  State& s = *state_;
  const FeedCall call{now, &batch, &outbox};
  const std::size_t staged_before = batch.staged();
  const Nanos silence = seconds(3 * static_cast<std::int64_t>(s.config.heartbeat_s));
  if (s.open && !s.silent && silence.count > 0 && now - s.last_frame_at > silence) {
    s.silent = true;
    s.mark_all_bad();
    s.status({}, FeedState::invalid, FeedReason::stale, call);
  }
  s.timer(call);
  s.finish(call, staged_before);
}

void DeribitFeed::resync(InstrumentId id, FeedReason reason, RecvTime now, EventBatch& batch,
                         Outbox& outbox) {
  State& s = *state_;
  if (id.value >= s.book_channel.size() || s.book_channel[id.value] == State::no_channel) return;
  const FeedCall call{now, &batch, &outbox};
  const std::size_t staged_before = batch.staged();
  Channel& channel = s.table.all()[s.book_channel[id.value]];
  s.lose(channel, reason, call);
  s.resync_channel(channel, call);
  s.finish(call, staged_before);
}

std::string DeribitFeed::take_listed() {
  State& s = *state_;
  if (s.listed_count == 0) return {};
  const State::ListedName& name = s.listed[--s.listed_count];
  return {name.text.data(), name.length};
}

const FeedCounters& DeribitFeed::counters() const noexcept { return state_->counters; }

bool DeribitFeed::book_valid(InstrumentId id) const noexcept {
  const State& s = *state_;
  if (id.value >= s.book_channel.size() || s.book_channel[id.value] == State::no_channel) {
    return false;
  }
  auto& table = state_->table;
  return s.bad_channels[id.value] == 0 && table.all()[s.book_channel[id.value]].has_snapshot;
}

const DeribitFeed::LastFrame& DeribitFeed::last() const noexcept { return state_->last; }

void DeribitFeed::set_learner(LearnName learner, void* context) noexcept {
  state_->learner = learner;
  state_->learner_context = context;
}

}  // namespace gimbal::deribit
