// What decisions are made from. See checker.hpp.
#include "tests/simtest/checker.hpp"
#include "tests/simtest/setup.hpp"

namespace gimbal::simtest {
namespace {

constexpr std::uint64_t packets_between = 8;  // of those whose whole book is compared

}  // namespace

// A book that has the venue's last change has the venue's levels. One that is behind is compared
// when it has caught up: what it missed stays wrong until then.
void Checker::check_truth(InstrumentId id) {
  const Data& d = data_[id.value];
  const sim::InstrumentIndex index = boot_.index_of[id.value];
  if (!d.valid || d.change_id != venue_.exchange.change_id(index)) return;
  const FlatOrderBook* book = boot_.core->book(id);
  const auto view = book != nullptr ? book->view() : std::nullopt;
  if (!view) return;
  // A bid of 9 millions beside no ask, or an option's ask of 1, crosses nothing: a level like any
  // other to who reads it.
  if (nemesis_.on(Fault::bad_levels) &&
      (is_option(boot_.core->instruments()[id].kind) || !both_sides(index))) {
    return;
  }
  for (const Side side : {Side::buy, Side::sell}) {
    true_levels_.clear();
    venue_.exchange.levels(index, side, 0, true_levels_);
    std::size_t n = 0;
    while (n < true_levels_.size() && n < view->levels(side)) {
      const Level level = *view->level(side, n);
      if (level.price != true_levels_[n].price || level.amount != true_levels_[n].amount) break;
      ++n;
    }
    if (n == view->levels(side) && (n == true_levels_.size() || book->truncated())) continue;
    const auto said = [n](std::size_t levels, Level l) {
      return n < levels
                 ? std::to_string(to_double(l.amount)) + " at " + std::to_string(to_double(l.price))
                 : "none";
    };
    const Level ours = n < view->levels(side) ? *view->level(side, n) : Level{};
    const Level theirs =
        n < true_levels_.size() ? Level{true_levels_[n].price, true_levels_[n].amount} : Level{};
    return fail("I8", "the core's book of " + boot_.names[id.value] + " at change " +
                          std::to_string(d.change_id) + " is not the venue's from level " +
                          std::to_string(n) +
                          (side == Side::buy ? " of the bids: " : " of the asks: ") +
                          said(view->levels(side), ours) + ", the venue's " +
                          said(true_levels_.size(), theirs));
  }
}

bool Checker::both_sides(sim::InstrumentIndex index) {
  bool both = true;
  for (const Side side : {Side::buy, Side::sell}) {
    true_levels_.clear();
    venue_.exchange.levels(index, side, 1, true_levels_);
    both = both && !true_levels_.empty();
  }
  return both;
}

void Checker::note_market(const Event& event) {
  const std::size_t i = event.instrument.value;
  if (i >= data_.size()) return;
  const bool hedge = event.instrument == boot_.hedge;
  switch (event.kind()) {
    case EventKind::feed_status:
      if (event.as<FeedStatus>().state == FeedState::invalid) {
        data_[i].valid = data_[i].building = false;
      }
      break;
    case EventKind::book_reset:
      data_[i].at = event.now();
      data_[i].valid = false;
      data_[i].building = true;
      if (hedge) book_.clear();
      break;
    case EventKind::book_delta:
      data_[i].at = event.now();
      if (hedge) book_.apply(event.as<BookDelta>());
      break;
    case EventKind::ticker: data_[i].at = event.now(); break;
    default: return;
  }
  if (!event.has(event_flag::last_in_packet)) return;
  data_[i].valid = data_[i].valid || data_[i].building;  // the picture is complete
  data_[i].building = false;
  if (hedge) check_book();
  if (event.kind() == EventKind::book_reset) {
    data_[i].change_id = event.as<BookReset>().change_id;
  } else if (event.kind() == EventKind::book_delta) {
    data_[i].change_id = event.as<BookDelta>().change_id;
  } else {
    return;
  }
  if (packets_++ % packets_between == 0) check_truth(event.instrument);
}

void Checker::check_book() {
  const FlatOrderBook* book = boot_.core->book(boot_.hedge);
  const auto top = book != nullptr ? book->top() : std::nullopt;
  if (!top || !book_.has_both()) return;
  if (top->bid.nano != book_.bid() || top->bid_amount.nano != book_.bid_amount() ||
      top->ask.nano != book_.ask() || top->ask_amount.nano != book_.ask_amount()) {
    fail("I8", "the core's best levels are not those of its feed");
  }
}

void Checker::check_decision(const PlaceOrder& order) {
  const Data& d = data_[order.instrument.value];
  if (!d.valid) fail("I8", "an order from a book that its feed calls invalid");
  check_truth(order.instrument);
  const Nanos age = boot_.core->now() - d.at;
  if (age > boot_.core->gate().limits().quote_age_max) {
    fail("I8", "an order from data that is " + std::to_string(age.count) + " ns old");
  }
}

}  // namespace gimbal::simtest
