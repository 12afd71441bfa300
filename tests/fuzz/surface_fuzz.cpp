// Surface blocks, whatever their bytes are: taken whole or not at all, and what prices an option
// afterwards is a finite number within the limits of P-18, and so is the risk of what is held of
// it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "engine/core/engine_core.hpp"
#include "tests/fuzz/listed_option.hpp"

namespace {

using namespace gimbal;

constexpr std::size_t options = 4;
constexpr std::int64_t clock_offset = 1'800'000'000'000'000'000;
constexpr std::int64_t one = nano_per_unit;

Instrument option_of(std::size_t n) {
  return test::listed_option(n, ExchTime{clock_offset} + seconds(n == 2 ? 86'400 : 30 * 86'400));
}

// A core with a price on every option of the seeds' expiries.
struct World {
  InstrumentTable table{8};
  std::array<InstrumentId, options> ids{};
  std::span<const std::byte> block;
  std::unique_ptr<EngineCore> core;
  Commands out;
  RecvTime now{seconds(1000).count};
  std::uint64_t seq{0};

  static std::span<const std::byte> find(const void* self, std::uint16_t, std::uint32_t) noexcept {
    return static_cast<const World*>(self)->block;
  }
  World() {
    for (std::size_t n = 0; n < options; ++n) ids[n] = table.add(option_of(n));
    EngineSetup s;
    s.engine.delta_one_books = s.engine.option_books = 1;
    s.engine.delta_one_levels = s.engine.option_levels = 8;
    s.engine.trade_ids_kept = 16;
    s.portfolio.surface_age_max = seconds(20);
    s.venue_used[0] = s.own_account[0] = true;
    s.blocks = {this, &find};
    core = std::make_unique<EngineCore>(s, table);
    Boot boot;
    boot.epoch = 1;
    send(EventKind::boot, boot);
    VenueClock c;
    c.offset_ns = clock_offset;
    send(EventKind::venue_clock, c);
    for (const InstrumentId id : ids) quote(id);
    hold();
  }
  // Long, short and both settlements: a curve prices their buckets anew.
  void hold() {
    GatewayStatus session;
    session.state = GatewayState::ready;
    session.generation = 1;
    send(EventKind::gateway_status, session);
    ReconcileMark mark;
    mark.generation = 1;
    send(EventKind::reconcile_mark, mark);
    for (std::size_t n = 0; n < options; ++n) {
      PositionReport p;
      p.amount = Qty{(n % 2 == 0 ? 3 : -2) * one};
      send(EventKind::position_report, p, ids[n]);
    }
    mark.phase = ReconcilePhase::complete;
    send(EventKind::reconcile_mark, mark);
    if (core->portfolio().position(ids[1]) != Qty{-2 * one} || !risk().complete) std::abort();
  }
  [[nodiscard]] RiskNumbers risk() const { return core->portfolio().risk(UnderlyingId{0}); }
  template <class Payload>
  void send(EventKind kind, const Payload& payload, InstrumentId id = {}) {
    Event head;
    head.set_kind(kind);
    head.add_flag(event_flag::last_in_packet);
    head.venue = VenueId{0};
    head.instrument = id;
    head.recv = now;
    head.exch = ExchTime{now.mono_ns + clock_offset};
    Event parts[event_parts_max];
    const std::size_t n = write_parts(head, payload, parts);
    for (std::size_t i = 0; i < n; ++i) {
      parts[i].set_seq({++seq});
      out.clear();
      (void)core->apply(parts[i], out);
      core->finish(out);
    }
  }
  void quote(InstrumentId id) {
    Ticker t;
    const bool inverse = is_inverse(table[id].kind);
    t.mark = Price{inverse ? one / 20 : 2'500 * one};
    t.index = t.underlying = Price{50'000 * one};
    t.mark_iv_nano = one * 6 / 10;
    send(EventKind::ticker, t, id);
  }
  [[nodiscard]] std::array<OptionMark, options> marks() const {
    std::array<OptionMark, options> all;
    for (std::size_t n = 0; n < options; ++n) all[n] = core->view().option_mark(ids[n]);
    return all;
  }
  void take(std::span<const std::byte> bytes) {
    const auto before = marks();
    const std::uint64_t refused = core->counters().surfaces_refused;
    block = bytes;
    SideBlockRef ref;
    ref.kind = SideBlockKind::surface;
    ref.bytes = static_cast<std::uint32_t>(bytes.size());
    send(EventKind::side_block, ref);
    block = {};
    const auto after = marks();
    const bool is_refused = core->counters().surfaces_refused != refused;
    for (std::size_t n = 0; n < options; ++n) {
      if (is_refused && (after[n].sigma != before[n].sigma || after[n].price != before[n].price)) {
        std::abort();
      }
      judge(after[n]);
    }
    judge(risk());
  }
  static void judge(const RiskNumbers& r) {
    for (const double v : {r.delta_net.value, r.delta_bs.value, r.gamma.value, r.gamma_net.value,
                           r.vega.value, r.options_value, r.linear_value, r.delta_error,
                           r.sticky_delta_shift, r.minimum_variance_shift}) {
      if (!std::isfinite(v)) std::abort();
    }
  }
  void judge(const OptionMark& m) const {
    if (!m.usable) return;
    for (const double v : {m.price, m.sigma, m.delta_net, m.gamma, m.vega}) {
      if (!std::isfinite(v)) std::abort();
    }
    const double low = static_cast<double>(core->gate().limits().iv_min_bps) * 1e-4;
    const double high = static_cast<double>(core->gate().limits().iv_max_bps) * 1e-4;
    if (m.sigma < low * (1 - 1e-9) || m.sigma > high * (1 + 1e-9)) std::abort();
  }
};

}  // namespace

// Blocks one after the other, each behind a byte that says how long it is (in 8 bytes) and one that
// moves the clock. New tickers come before each: what changes then is the block's doing.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  World world;
  while (size >= 2) {
    const std::size_t length = std::min<std::size_t>(data[0] * std::size_t{8}, size - 2);
    const unsigned step = data[1];
    world.now = world.now + milliseconds(50 * step);
    for (const InstrumentId id : world.ids) world.quote(id);
    world.take({reinterpret_cast<const std::byte*>(data + 2), length});
    data += 2 + length;
    size -= 2 + length;
  }
  return 0;
}
