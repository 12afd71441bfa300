// What the guardian can do at a venue: cancel, and look. Nothing here can place or change an order.
// Room: ops/guardian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.hpp"

namespace gimbal::guardian {

struct OpenRow {
  std::string order_id;
  std::string label;
  std::string instrument;
};

// The venue's answer to one question for open orders, foreign ones included.
struct OpenPicture {
  std::uint64_t number{0};  // of the question; 0: none answered yet
  std::vector<OpenRow> rows;
};

class CancelDoor {
 public:
  CancelDoor() = default;
  CancelDoor(const CancelDoor&) = delete;
  CancelDoor& operator=(const CancelDoor&) = delete;
  virtual ~CancelDoor() = default;

  // Logged in, allowed to cancel, and heard from just now.
  [[nodiscard]] virtual bool ready() const = 0;
  // Each is true when its bytes are with the kernel or queued in order behind others; sent_at() is
  // then the time.
  virtual bool cancel_all() = 0;
  virtual bool cancel_label(std::string_view label) = 0;
  virtual bool cancel_order(std::string_view order_id) = 0;
  [[nodiscard]] virtual RecvTime sent_at() const = 0;
  // The number of the question; 0: it could not be sent.
  virtual std::uint64_t ask_open() = 0;
  [[nodiscard]] virtual const OpenPicture& picture() const = 0;
  // Cancels sent on this connection that have no answer yet.
  [[nodiscard]] virtual std::size_t unanswered() const = 0;
};

}  // namespace gimbal::guardian
