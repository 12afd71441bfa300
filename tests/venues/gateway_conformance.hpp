// What every venue's gateway must do, whatever its dialect. A venue instantiates the suite with a
// Rig: a struct that owns the gateway and speaks the venue's side of the conversation.
//
//   struct Rig {
//     G& gateway();  EventBatch batch;  Outbox outbox;  RecvTime now;  InstrumentId instrument;
//     void connect();                       // on_open + every answer up to ready
//     void connect_without_cod();           // the same, but cancel on disconnect reads as off
//     DecodeStatus take(std::string_view);  // one frame from the venue; clears batch first
//     std::string ack(OrderId, Price, Qty amount, Qty filled);          // the order rests
//     std::string fill_notice(OrderId, std::string_view trade, Price, Qty);
//     std::string reject(std::string_view request);                     // refused for good
//     std::string throttle(std::string_view request);
//     std::string nonsense(std::string_view request);                   // error of an unknown code
//     std::string foreign_fill(std::string_view trade, Price, Qty);
//     Approved<PlaceOrder> place(OrderId, Price, Qty, std::uint8_t flags);
//   };
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/payload.hpp"
#include "venues/gateway.hpp"

namespace gimbal::test {

template <class Rig>
class GatewayConformance : public testing::Test {
 protected:
  Rig rig;
  OrderId order = make_order_id(7, StrategyId{1}, 42);
  Price price{50'000 * nano_per_unit};
  Qty amount{100 * nano_per_unit};
  std::array<char, encoded_order_max> bytes{};

  std::string encode_place(OrderId id, std::uint8_t flags = 0) {
    const Encoded e = rig.gateway().encode(rig.place(id, price, amount, flags), rig.now, bytes);
    EXPECT_TRUE(e.ok()) << "refused with " << static_cast<int>(e.refused);
    return {bytes.data(), e.bytes};
  }
  template <class Payload>
  std::vector<Payload> found(EventKind kind) {
    std::vector<Payload> out;
    PartsBuffer<Payload> parts;
    for (const Event& e : rig.batch.committed()) {
      if (e.kind() == kind && parts.add(e)) out.push_back(parts.value());
    }
    return out;
  }
};

TYPED_TEST_SUITE_P(GatewayConformance);

TYPED_TEST_P(GatewayConformance, IsReadyOnlyWithCancelOnDisconnectProven) {
  static_assert(OrderGateway<std::remove_reference_t<decltype(this->rig.gateway())>>);
  EXPECT_FALSE(this->rig.gateway().ready());
  this->rig.connect_without_cod();
  EXPECT_FALSE(this->rig.gateway().ready());
  this->rig.connect();
  EXPECT_TRUE(this->rig.gateway().ready());
  const auto status = this->template found<GatewayStatus>(EventKind::gateway_status);
  ASSERT_FALSE(status.empty());
  EXPECT_EQ(status.back().state, GatewayState::ready);
  EXPECT_EQ(status.back().cancel_on_disconnect, 1);
}

TYPED_TEST_P(GatewayConformance, NothingCanBePlacedUnlessReady) {
  const Encoded e = this->rig.gateway().encode(
      this->rig.place(this->order, this->price, this->amount, 0), this->rig.now, this->bytes);
  EXPECT_FALSE(e.ok());
  EXPECT_EQ(e.refused, RejectReason::not_connected);
}

TYPED_TEST_P(GatewayConformance, EveryOrderCarriesItsTimeToLive) {
  this->rig.connect();
  EXPECT_NE(this->encode_place(this->order).find("1700000000500"), std::string::npos);
}

TYPED_TEST_P(GatewayConformance, AcknowledgementAndFillNameOurOrder) {
  this->rig.connect();
  (void)this->encode_place(this->order);
  (void)this->rig.take(this->rig.ack(this->order, this->price, this->amount, Qty{}));
  const auto acks = this->template found<OrderAck>(EventKind::order_ack);
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].order, this->order);
  EXPECT_EQ(acks[0].price, this->price);
  EXPECT_EQ(acks[0].amount, this->amount);
  (void)this->rig.take(this->rig.fill_notice(this->order, "T-1", this->price, this->amount));
  const auto fills = this->template found<Fill>(EventKind::fill);
  ASSERT_EQ(fills.size(), 1U);
  EXPECT_EQ(fills[0].order, this->order);
  EXPECT_EQ(fills[0].trade, trade_id("T-1"));
  EXPECT_EQ(fills[0].amount, this->amount);
}

TYPED_TEST_P(GatewayConformance, RefusalsSayWhatTheyProve) {
  this->rig.connect();
  (void)this->rig.take(this->rig.reject(this->encode_place(this->order)));
  auto rejects = this->template found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].order, this->order);
  EXPECT_EQ(rejects[0].reason, RejectReason::venue);
  this->rig.now = this->rig.now + seconds(60);
  const OrderId second = make_order_id(7, StrategyId{1}, 43);
  (void)this->rig.take(this->rig.nonsense(this->encode_place(second)));
  rejects = this->template found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].order, second);
  EXPECT_EQ(rejects[0].reason, RejectReason::unclear) << "an unknown code proves nothing";
}

TYPED_TEST_P(GatewayConformance, ThrottlingIsToldAndEmptiesTheBudget) {
  this->rig.connect();
  (void)this->rig.take(this->rig.throttle(this->encode_place(this->order)));
  const auto rejects = this->template found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].reason, RejectReason::throttled);
  const Encoded e = this->rig.gateway().encode(
      this->rig.place(this->order, this->price, this->amount, 0), this->rig.now, this->bytes);
  EXPECT_EQ(e.refused, RejectReason::local_rate);
}

TYPED_TEST_P(GatewayConformance, CancelsOutliveTheOrderBudget) {
  this->rig.connect();
  Encoded e{1, RejectReason::none};
  std::uint32_t counter = 100;
  while (e.ok()) {
    e = this->rig.gateway().encode(
        this->rig.place(make_order_id(7, StrategyId{1}, counter++), this->price, this->amount, 0),
        this->rig.now, this->bytes);
    ASSERT_LT(counter, 10'000U);
  }
  EXPECT_EQ(e.refused, RejectReason::local_rate);
  EXPECT_TRUE(this->rig.gateway()
                  .encode(CancelOrder{this->order, this->rig.instrument, VenueId{}}, this->rig.now,
                          this->bytes)
                  .ok());
}

TYPED_TEST_P(GatewayConformance, ForeignFillsMoveThePositionUnderNoOrder) {
  this->rig.connect();
  (void)this->rig.take(this->rig.foreign_fill("T-9", this->price, this->amount));
  const auto fills = this->template found<Fill>(EventKind::fill);
  ASSERT_EQ(fills.size(), 1U);
  EXPECT_FALSE(fills[0].order.valid());
}

TYPED_TEST_P(GatewayConformance, UnreadableFrameIsNeverSilent) {
  this->rig.connect();
  EXPECT_EQ(this->rig.take("{\"half"), DecodeStatus::malformed);
  const auto rejects = this->template found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].reason, RejectReason::unclear);
  EXPECT_FALSE(rejects[0].order.valid());
}

TYPED_TEST_P(GatewayConformance, ClosingIsDownAtOnce) {
  this->rig.connect();
  this->rig.batch.clear();
  this->rig.gateway().on_close(this->rig.now, this->rig.batch);
  EXPECT_FALSE(this->rig.gateway().ready());
  const auto status = this->template found<GatewayStatus>(EventKind::gateway_status);
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].state, GatewayState::down);
}

REGISTER_TYPED_TEST_SUITE_P(GatewayConformance, IsReadyOnlyWithCancelOnDisconnectProven,
                            NothingCanBePlacedUnlessReady, EveryOrderCarriesItsTimeToLive,
                            AcknowledgementAndFillNameOurOrder, RefusalsSayWhatTheyProve,
                            ThrottlingIsToldAndEmptiesTheBudget, CancelsOutliveTheOrderBudget,
                            ForeignFillsMoveThePositionUnderNoOrder, UnreadableFrameIsNeverSilent,
                            ClosingIsDownAtOnce);

}  // namespace gimbal::test
