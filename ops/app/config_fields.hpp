// The field lists of ops' own tables, and the list of all tables. Only config*.cpp include this.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "ops/app/config.hpp"
#include "ops/app/field_list.hpp"

namespace gimbal {

template <>
struct EnumNames<Environment> {
  static constexpr std::array<EnumPair<Environment>, 3> all{
      {{"sim", Environment::sim}, {"test", Environment::test}, {"live", Environment::live}}};
};
template <>
struct EnumNames<AuthMethod> {
  static constexpr std::array<EnumPair<AuthMethod>, 2> all{
      {{"client_credentials", AuthMethod::client_credentials},
       {"client_signature", AuthMethod::client_signature}}};
};
template <>
struct EnumNames<FeedInterval> {
  static constexpr std::array<EnumPair<FeedInterval>, 3> all{
      {{"raw", FeedInterval::raw}, {"100ms", FeedInterval::ms100}, {"agg2", FeedInterval::agg2}}};
};
template <>
struct EnumNames<Topology> {
  static constexpr std::array<EnumPair<Topology>, 2> all{
      {{"fused", Topology::fused}, {"pipelined", Topology::pipelined}}};
};
template <>
struct EnumNames<LogLevel> {
  static constexpr std::array<EnumPair<LogLevel>, 4> all{{{"debug", LogLevel::debug},
                                                          {"info", LogLevel::info},
                                                          {"warning", LogLevel::warning},
                                                          {"error", LogLevel::error}}};
};
template <>
struct EnumNames<PollerKind> {
  static constexpr std::array<EnumPair<PollerKind>, 5> all{{{"auto", PollerKind::automatic},
                                                            {"io_uring", PollerKind::uring},
                                                            {"epoll", PollerKind::epoll},
                                                            {"spin", PollerKind::spin},
                                                            {"mixed", PollerKind::mixed}}};
};
template <>
struct EnumNames<IdleMode> {
  static constexpr std::array<EnumPair<IdleMode>, 4> all{{{"spin", IdleMode::spin},
                                                          {"pause", IdleMode::pause},
                                                          {"yield", IdleMode::yield},
                                                          {"sleep", IdleMode::sleep}}};
};
template <>
struct EnumNames<FrameKeeping> {
  static constexpr std::array<EnumPair<FrameKeeping>, 3> all{
      {{"required", FrameKeeping::required},
       {"best_effort", FrameKeeping::best_effort},
       {"off", FrameKeeping::off}}};
};
template <>
struct EnumNames<Numeraire> {
  static constexpr std::array<EnumPair<Numeraire>, 2> all{
      {{"coin", Numeraire::coin}, {"usd", Numeraire::usd}}};
};

template <class Visitor>
void venue_session_fields(Visitor& visit, VenueConfig& c) {
  visit("name", c.name,
        FieldInfo{.min = 1, .max = 32, .required = true, .doc = "Venue dialect: \"deribit\"."});
  visit("account", c.account,
        FieldInfo{.min = 1,
                  .max = 32,
                  .required = true,
                  .doc = "Our name for this account session; unique."});
  visit("environment", c.environment,
        FieldInfo{
            .required = true,
            .doc = "sim venues are accepted on loopback only; kinds never mix in one process."});
  visit("host", c.host,
        FieldInfo{.min = 1,
                  .max = 253,
                  .required = true,
                  .doc = "DNS name or IP address; the certificate must match it."});
  visit("port", c.port, FieldInfo{.min = 1, .max = 65535, .doc = "TCP port."});
  visit("path", c.path, FieldInfo{.min = 1, .max = 200, .doc = "WebSocket path."});
  visit("ca_file", c.ca_file,
        FieldInfo{.max = 4096,
                  .doc = "PEM file of trusted certificate authorities; empty: the system's."});
  visit("pins", c.pins,
        FieldInfo{.max = 8,
                  .doc = "Public key pins, \"sha256/BASE64\" or hex; none, or at least two."});
  visit("own_account", c.own_account,
        FieldInfo{.required = true,
                  .doc = "true: the account is ours alone, kill uses the venue's mass cancel; "
                         "false: by order id."});
  visit("credential", c.credential,
        FieldInfo{.min = 1,
                  .max = 4096,
                  .required = true,
                  .doc = "Credential file, or the name of a systemd credential (no slash)."});
  visit("guardian_credential", c.guardian_credential,
        FieldInfo{.max = 4096,
                  .doc = "The guardian's own key (trade:read_write and account:read) of the same "
                         "account; it refuses to start without."});
  visit("off_host_credential", c.off_host_credential,
        FieldInfo{.max = 4096,
                  .doc = "The off-host guardian's own key (trade:read_write and account:read), on "
                         "that host."});
  visit("auth", c.auth, FieldInfo{.doc = "How the session logs in."});
}

template <class Visitor>
void venue_limit_fields(Visitor& visit, VenueConfig& c) {
  visit("book_interval", c.book_interval, FieldInfo{.doc = "Book channel of hedge instruments."});
  visit("option_book_interval", c.option_book_interval,
        FieldInfo{.doc = "Book channel of options."});
  visit("ticker_interval", c.ticker_interval, FieldInfo{.doc = "Ticker channels."});
  visit("trades_interval", c.trades_interval, FieldInfo{.doc = "Trade channels."});
  visit("heartbeat", c.heartbeat,
        FieldInfo{.min = 10, .max = 60, .doc = "Interval asked of the venue."});
  visit("late_acks", c.late_acks,
        FieldInfo{.doc = "Feeds acknowledge by the kernel's delayed acknowledgement, not inside of "
                         "each receive, which takes microseconds. Not for a venue with Nagle's "
                         "algorithm on: it would hold small messages back for up to 40 ms."});
  visit("silence_max", c.silence_max,
        FieldInfo{
            .min = 1, .max = 120, .doc = "A session without any frame for this long is closed."});
  visit("data_silence_max", c.data_silence_max,
        FieldInfo{.min = 0.5,
                  .max = 120,
                  .doc = "A feed session that answers heartbeats but brings no data for this long "
                         "is closed and made again."});
  visit("connect_timeout", c.connect_timeout,
        FieldInfo{.min = 0.1, .max = 60, .doc = "Resolve to upgrade."});
  visit("reconnect_min", c.reconnect_min,
        FieldInfo{.min = 0.001, .max = 60, .doc = "First back-off bound."});
  visit("reconnect_max", c.reconnect_max,
        FieldInfo{.min = 0.001, .max = 600, .doc = "Longest back-off bound."});
  visit("reconnects_per_minute", c.reconnects_per_minute,
        FieldInfo{.min = 1, .max = 20, .doc = "Attempts per minute, at most."});
  visit("matching_rate", c.matching_rate,
        FieldInfo{.min = 0.1,
                  .max = 10000,
                  .unit = "1/s",
                  .doc = "Venue's sustained rate of order requests."});
  visit("matching_burst", c.matching_burst,
        FieldInfo{
            .min = 1, .max = 10000, .unit = "requests", .doc = "Venue's burst of order requests."});
  visit("query_rate", c.query_rate,
        FieldInfo{.min = 0.1,
                  .max = 10000,
                  .unit = "1/s",
                  .doc = "Venue's sustained rate of other requests."});
  visit("query_burst", c.query_burst,
        FieldInfo{
            .min = 1, .max = 10000, .unit = "requests", .doc = "Venue's burst of other requests."});
  visit("instrument_refresh", c.instrument_refresh,
        FieldInfo{.min = 1,
                  .max = 3600,
                  .doc = "The venue's list of instruments is read again this often, and whenever "
                         "it says that something changed."});
  visit("rate_use", c.rate_use,
        FieldInfo{.min = 0.05,
                  .max = 0.95,
                  .unit = "fraction",
                  .doc = "Share of the venue's rates that we use."});
  visit("cancel_reserve", c.cancel_reserve,
        FieldInfo{.min = 0.05,
                  .max = 0.9,
                  .unit = "fraction",
                  .doc = "Share of the budget kept back for cancels."});
}

template <class Visitor>
void fields(Visitor& visit, VenueConfig& c) {
  venue_session_fields(visit, c);
  venue_limit_fields(visit, c);
}

template <class Visitor>
void fields(Visitor& visit, UnderlyingConfig& c) {
  visit("name", c.name,
        FieldInfo{.min = 1, .max = 8, .required = true, .doc = "The coin: \"BTC\"."});
  visit("account", c.account,
        FieldInfo{.min = 1, .max = 32, .required = true, .doc = "A [[venue]] account."});
  visit(
      "index", c.index,
      FieldInfo{.min = 1, .max = 32, .required = true, .doc = "Index at the venue: \"btc_usd\"."});
  visit("currency", c.currency,
        FieldInfo{.min = 1,
                  .max = 8,
                  .required = true,
                  .doc = "Settlement currency to list instruments by."});
  visit(
      "hedge_instrument", c.hedge_instrument,
      FieldInfo{.min = 1, .max = 64, .required = true, .doc = "Venue symbol: \"BTC-PERPETUAL\"."});
  visit("options", c.options, FieldInfo{.doc = "Subscribe the options."});
  visit("futures", c.futures, FieldInfo{.doc = "Subscribe the dated futures."});
  visit("option_instruments_max", c.option_instruments_max,
        FieldInfo{
            .min = 0, .max = 8192, .doc = "Options subscribed at most, nearest expiries first."});
  visit("expiry_within", c.expiry_within,
        FieldInfo{.min = 3600, .max = 1.0e8, .doc = "Instruments that expire later are left out."});
  visit("order_to_trade_max", c.order_to_trade_max,
        FieldInfo{
            .min = 0,
            .max = 1.0e9,
            .unit = "1/coin",
            .doc = "Order book changes per coin of maker volume a day, at the venue; 0 is off."});
}

template <class Visitor>
void fields(Visitor& visit, RuntimeConfig& c) {
  constexpr FieldInfo core{
      .min = -1, .max = 4095, .unit = "processor", .doc = "Pinned processor; -1: not pinned."};
  visit("topology", c.topology,
        FieldInfo{.doc = "fused: one hot thread; pipelined: one per stage."});
  visit("poller", c.poller,
        FieldInfo{
            .doc = "How bytes are waited for. mixed spins on the order session and the hedge's "
                   "feed and leaves the rest to io_uring; auto takes it when the kernel lets it."});
  visit("idle", c.idle, FieldInfo{.doc = "What a hot thread does in a cycle without work."});
  visit("keep_warm", c.keep_warm,
        FieldInfo{.min = 0,
                  .max = 0.1,
                  .doc = "Silence after which the hot thread rehearses a hedge on a private "
                         "connection; 0: never. Fused only."});
  visit("io_core", c.io_core, core);
  visit("core_core", c.core_core, core);
  visit("order_core", c.order_core, core);
  visit("cold_core", c.cold_core, core);
  visit("realtime", c.realtime, FieldInfo{.doc = "Hot threads run SCHED_FIFO."});
  visit("lock_memory", c.lock_memory, FieldInfo{.doc = "mlockall at start."});
  visit("huge_pages", c.huge_pages,
        FieldInfo{.doc = "Move memory to pages of 2 MiB at start, where the kernel "
                         "can (Linux 6.1); what it refuses stays as it was."});
  visit("kernel_time", c.kernel_time,
        FieldInfo{.doc = "Use the kernel's receive time where the poller has it."});
  visit("journal_dir", c.journal_dir, FieldInfo{.min = 1, .max = 4096, .doc = "Journal segments."});
  visit("state_dir", c.state_dir,
        FieldInfo{.min = 1, .max = 4096, .doc = "Latch and boot epoch; survives a reboot."});
  visit("runtime_dir", c.runtime_dir,
        FieldInfo{.min = 1, .max = 100, .doc = "Gate and stop pages, sentinel; mode 0750."});
  visit("control_socket", c.control_socket,
        FieldInfo{.max = 107, .doc = "Unix socket of gimbalctl; empty: runtime_dir/control.sock."});
  visit("journal_segment_mib", c.journal_segment_mib,
        FieldInfo{.min = 1, .max = 4096, .unit = "MiB", .doc = "Journal segment size."});
  visit("journal_sync", c.journal_sync,
        FieldInfo{.min = 0, .max = 10, .doc = "fdatasync at least this often."});
  visit(
      "guardian_required", c.guardian_required,
      FieldInfo{.doc = "Arming is refused without a live guardian; false is printed as a waiver."});
}

template <class Visitor>
void fields(Visitor& visit, JournalKeeping& c) {
  visit(
      "frames", c.frames,
      FieldInfo{.doc = "Raw wire frames as a second stream. required: a frame that cannot be kept "
                       "trips HALT; best_effort: it is counted; off: none are kept."});
  visit("frames_buffer_mib", c.frames_buffer_mib,
        FieldInfo{.min = 1,
                  .max = 1024,
                  .unit = "MiB",
                  .doc = "Buffer of each hot thread between the wire and the disk."});
  visit("reserve_mib", c.reserve_mib,
        FieldInfo{.min = 1,
                  .max = 1024,
                  .unit = "MiB",
                  .doc = "Preallocated per stream: takes private events when the disk is full."});
  visit("pack", c.pack, FieldInfo{.doc = "Compress closed segments (zstd)."});
  visit("keep", c.keep,
        FieldInfo{.min = 0,
                  .max = 315'360'000,
                  .doc = "Journals of earlier boots older than this are deleted; 0: never."});
  visit("keep_gib", c.keep_gib,
        FieldInfo{.min = 0,
                  .max = 1'000'000,
                  .unit = "GiB",
                  .doc = "The oldest boots are deleted while all journals are larger; 0: never."});
}

template <class Visitor>
void fields(Visitor& visit, LogConfig& c) {
  visit("level", c.level, FieldInfo{.reload = Reload::live, .doc = "Lowest level written."});
  visit("file", c.file, FieldInfo{.max = 4096, .doc = "Log file; empty: standard error."});
  visit("json", c.json, FieldInfo{.doc = "One JSON object a line."});
  visit("status_interval", c.status_interval,
        FieldInfo{
            .min = 0.1, .max = 3600, .reload = Reload::live, .doc = "Time between status lines."});
}

// One table of the file. `open` lists the fields of element `index`, making it when needed;
// single tables are element 0.
struct TableShape {
  std::string_view path;  // "venue", "strategy.delta_hedge"
  bool array{false};
  std::size_t count_min{0};
  std::size_t count_max{1};
  std::string_view doc;
  std::function<std::size_t(Config&)> count;
  std::function<std::vector<FieldRef>(Config&, std::size_t index)> open;
};
const std::vector<TableShape>& table_shapes();

}  // namespace gimbal
