// What decisions are made from. See checker.hpp.
#include "tests/simtest/checker.hpp"
#include "tests/simtest/setup.hpp"

namespace gimbal::simtest {

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
  const Nanos age = boot_.core->now() - d.at;
  if (age > boot_.core->gate().limits().quote_age_max) {
    fail("I8", "an order from data that is " + std::to_string(age.count) + " ns old");
  }
}

}  // namespace gimbal::simtest
