// The story of one order, told from its journal: what led to it, what the strategy saw, what every
// check of the gate said, its bytes, the venue's answers, and what it cost. For
// `gimbal replay --explain`. Room: ops/app. Cold.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/execution_gap.hpp"
#include "engine/core/trace_sink.hpp"
#include "engine/runtime/journal_format.hpp"
#include "ops/app/core_replay.hpp"

namespace gimbal {

class OrderStory {
 public:
  // Watches `core` until its end; `core` must outlive the story.
  // The names of `origin` grow with what was listed while running.
  OrderStory(JournalOrigin& origin, CoreReplay& core, OrderId order);

  // Each record of the frame stream, after the core has ended.
  void frame(const FrameRecord& frame, std::string_view text);
  // The order was decided in this journal.
  [[nodiscard]] bool found() const noexcept { return found_; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string json() const;

 private:
  struct Line {
    std::int64_t at_ns{0};
    std::uint64_t seq{0};
    std::string what{};  // a JSON object, or a frame's text
  };
  struct Wire {
    std::int64_t at_ns{0};
    bool out{false};
    std::string text{};
  };
  struct Gate {
    std::string check{};
    bool passed{true};
    std::string numbers{};
  };

  void step(const Event& event, const Commands& commands);
  void decided(const Event& event, const PlaceOrder& order);
  void keep_traces(std::uint64_t seq);
  void keep_gates(const PlaceOrder& order);
  void keep_last_gate(const Event& event);
  void keep_view(const PlaceOrder& order);
  void keep_gap();
  void saw(std::string name, std::string value) {
    seen_.emplace_back(std::move(name), std::move(value));
  }
  [[nodiscard]] bool concerns(const Event& event) const;
  [[nodiscard]] std::string unit_line(const Event& last) const;
  [[nodiscard]] std::string since(std::int64_t at_ns) const;
  [[nodiscard]] std::string head_text() const;
  [[nodiscard]] std::string gap_text() const;
  [[nodiscard]] std::string gap_json() const;

  JournalOrigin& origin_;
  CoreReplay& core_;
  OrderId id_;
  bool found_{false};
  PlaceOrder order_{};
  std::int64_t decided_ns_{0};
  std::uint64_t decided_seq_{0};
  OrderDecision decision_{};
  Price decision_price_{};
  std::array<Event, 64> recent_{};
  std::size_t recent_count_{0};
  std::vector<Line> before_;
  std::vector<Line> traces_;  // of the decision
  std::vector<std::pair<std::string, std::string>> seen_;
  std::vector<Gate> gates_;
  std::vector<Line> after_;  // events and state changes of the order
  std::vector<Wire> wires_;
  std::vector<std::string> wire_keys_;  // texts that name the order: label, venue's order id
  std::vector<std::uint64_t> fills_;    // numbers in the core's gaps
  std::vector<FillGap> gaps_;
  std::uint64_t gap_fills_seen_{0};
  std::string end_state_;
};

}  // namespace gimbal
