// What a boot holds of the orders of the one before. See checker.hpp.
#include "tests/simtest/checker.hpp"

namespace gimbal::simtest {

// Nothing is invented: each was written once, and no more of it is counted than the venue filled.
void Checker::carried(const OrderLog& log) {
  for (const auto& [value, order] : log.orders()) {
    const OrderId id{value};
    const std::string label = label_of(id);
    const auto numbers = venue_.exchange.orders_by_label(venue_.account, label);
    const bool shown = order.terms.venue_ref != 0;  // by a picture, whosever it was
    if (!shown && numbers.empty() && labels_.count(label) == 0) {
      fail("I10", "order " + std::to_string(value) + " of the boot before was never sent");
    }
    std::int64_t filled = 0;
    for (const sim::OrderNo n : numbers) filled += venue_.exchange.order(n)->filled.nano;
    if (!numbers.empty() && order.terms.filled.nano > filled) {
      fail("I1", "order " + std::to_string(value) + " of the boot before: filled " +
                     std::to_string(order.terms.filled.nano) + ", the venue says " +
                     std::to_string(filled));
    }
    carried_.push_back(id);
  }
}

void Checker::check_carried() {
  std::erase_if(carried_, [&](OrderId id) {
    const Order* order = boot_.core->orders().find(id);
    if (order != nullptr && order->open()) return false;
    if (may_live(label_of(id))) {
      fail("I6", "order " + std::to_string(id.value) +
                     " of the boot before ended while the venue may work it");
    }
    return true;
  });
}

}  // namespace gimbal::simtest
