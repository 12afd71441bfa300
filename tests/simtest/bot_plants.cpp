// The planted bugs. See plants.hpp.
#include "tests/simtest/bot.hpp"

namespace gimbal::simtest {
namespace {

void replace_label(std::string& text, std::string_view label) {
  const std::string_view old = member_text(text, "label");
  if (old.empty()) return;
  text.replace(static_cast<std::size_t>(old.data() - text.data()), old.size(), label);
}

constexpr std::string_view stray_order =
    R"({"jsonrpc":"2.0","id":77,"method":"private/buy","params":{"instrument_name":)"
    R"("BTC-PERPETUAL","type":"limit","label":"gsim-0000010000000fff-00000051","amount":10,)"
    R"("price":90000,"valid_until":1999999999999}})";
constexpr std::string_view stray_cancel =
    R"({"jsonrpc":"2.0","id":78,"method":"private/cancel","params":{"order_id":"1"}})";

}  // namespace

bool Bot::plant_event(const Event& event, Event& changed) {
  const bool fill = host_.plant == Plant::drop_fills && event.kind() == EventKind::fill;
  const bool gap = host_.plant == Plant::hide_gap && event.kind() == EventKind::feed_status &&
                   event.as<FeedStatus>().state == FeedState::invalid;
  const bool end = host_.plant == Plant::hide_settlement &&
                   event.kind() == EventKind::instrument_change &&
                   event.as<InstrumentChange>().change == InstrumentChangeKind::settle;
  if (host_.plant == Plant::ignore_seed) {
    static std::uint64_t steps = 0;
    host_.hash->number(++steps);
  }
  if (!fill && !gap && !end) return false;
  changed.set_kind(EventKind::none);
  return true;
}

void Bot::plant_order(std::string& text) {
  if (ask_of(text) != Ask::place) return;
  switch (host_.plant) {
    case Plant::double_amount: text.insert(text.find(",\"time_in_force\""), "0"); return;
    case Plant::reuse_label:
      if (plant_kept_.empty()) {
        plant_kept_ = member_text(text, "label");
      } else {
        replace_label(text, plant_kept_);
      }
      return;
    case Plant::off_tick: {
      const std::size_t at = text.find(",\"valid_until\"");
      const std::size_t price = text.rfind("\"price\":", at);
      const bool fraction = text.find('.', price) < at;
      text.insert(at, fraction ? "1" : ".1");
      return;
    }
    case Plant::loose_terms: {
      constexpr std::string_view immediate = "immediate_or_cancel";
      const std::size_t at = text.find(immediate);
      if (at != std::string::npos) text.replace(at, immediate.size(), "good_til_cancelled");
      return;
    }
    case Plant::show_secret:
      text.insert(text.size() - 1, R"(,"note":")" + std::string{bot_secret} + '"');
      return;
    default: return;
  }
}

void Bot::plant_text(std::string_view text) {
  if (host_.plant != Plant::send_twice || ask_of(text) != Ask::place) return;
  std::string again{text};
  std::string label{member_text(text, "label")};
  label[label.size() - 12] = 'f';
  replace_label(again, label);
  host_.checker->sent(Lane::orders, again);
  host_.network->send(Lane::orders, again);
}

bool Bot::plant_frame(Lane lane, std::string& text) {
  constexpr std::string_view key = "\"prev_change_id\":";
  const std::size_t at = text.find(key);
  if (host_.plant != Plant::skip_change || lane != Lane::hedge || at == std::string::npos) {
    return false;
  }
  const std::string before = std::to_string(member_integer(text, "prev_change_id"));
  const std::uint64_t nth = ++plant_count_ % 50;
  if (nth == 0) plant_kept_ = before;
  if (nth == 1 && !plant_kept_.empty()) text.replace(at + key.size(), before.size(), plant_kept_);
  return nth == 0;
}

RecvTime Bot::plant_clock(Plant plant) const {
  return host_.plant == plant ? RecvTime{virtual_wall_ms() * 1'000'000} : clock_.now();
}

bool Bot::hold_back(const Approved<PlaceOrder>& order) {
  if (!plant_kept_.empty()) return false;
  std::array<char, encoded_order_max> text;
  const Encoded encoded = gateway_->encode(order, clock_.now(), text);
  if (!encoded.ok()) return false;
  plant_kept_.assign(text.data(), encoded.bytes);
  return true;
}

void Bot::plant_cycle() {
  const bool open = host_.gate->at(Scope{}) == Mode::active;
  plant_armed_ = plant_armed_ || open;
  const auto send_text = [&](std::string_view text) {
    host_.checker->sent(Lane::orders, text);
    host_.network->send(Lane::orders, text);
  };
  switch (host_.plant) {
    case Plant::leak_after_kill:
      if (plant_armed_ && !open && !plant_kept_.empty() && plant_count_++ == 0) {
        send_text(plant_kept_);
      }
      return;
    case Plant::order_at_boot:
      if (gateway_->ready() && !plant_armed_ && plant_count_++ == 0) send_text(stray_order);
      return;
    case Plant::flood_venue:
      if (plant_armed_) send_text(stray_cancel);
      return;
    case Plant::invent_fill: {
      if (!plant_armed_ || plant_count_++ != 1000) return;
      Fill fill;
      fill.trade = trade_id("999999999");
      fill.price = Price{100'000 * nano_per_unit};
      fill.amount = Qty{10 * nano_per_unit};
      std::array<Event, parts_of<Fill>> unit;
      write_parts(make_event(EventKind::fill, venue_, hedge_, clock_.now(), {}, fill), fill,
                  unit.data());
      return hand_back(unit.data(), unit.size());
    }
    case Plant::end_early:
      for (std::size_t n = 0; n < core().orders().listed(); ++n) {
        const Order& o = core().orders().open_order(n);
        if (o.state != OrderState::live || o.tif != TimeInForce::good_til_cancelled) continue;
        OrderDone done;
        done.order = o.id;
        done.filled = o.filled;
        done.reason = DoneReason::cancelled_by_us;
        const Event e =
            make_event(EventKind::order_done, venue_, o.instrument, clock_.now(), {}, done);
        return hand_back(&e, 1);
      }
      return;
    default: return;
  }
}

}  // namespace gimbal::simtest
