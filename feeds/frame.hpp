// Bytes between the wire and the decoders: an incoming text frame, the staging array for its
// events, and the outbox for text frames to send. All of fixed capacity; nothing here allocates
// after start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/event.hpp"

namespace gimbal {

// Readable (not meaningful) bytes after a frame's text, so that a vector parser may over-read.
inline constexpr std::size_t frame_padding = 64;

// The text of one WebSocket message, parsed in place.
struct Frame {
  char* data{nullptr};
  std::size_t size{0};
  std::size_t capacity{0};  // >= size + frame_padding
  [[nodiscard]] std::string_view text() const noexcept { return {data, size}; }
};

// Of a text that lacks its last bracket simdjson takes the byte behind it for the next one: while
// this lives that byte is none. It may be the begin of another frame, and is put back.
class NothingBehind {
 public:
  explicit NothingBehind(const Frame& frame) noexcept : at_{frame.data + frame.size}, was_{*at_} {
    *at_ = '\0';
  }
  ~NothingBehind() { *at_ = was_; }
  NothingBehind(const NothingBehind&) = delete;
  NothingBehind& operator=(const NothingBehind&) = delete;

 private:
  char* at_;
  char was_;
};

enum class DecodeStatus : std::uint8_t {
  ok,            // events were written
  ignored,       // understood, nothing for the core (heartbeat, subscription answer)
  malformed,     // not the message we agreed on: nothing but a FeedStatus was written
  sequence_gap,  // the book is a guess from here: FeedStatus{invalid} and one resubscribe
};

// Staging array: a decoder appends while it parses and commits after its last check. What was
// appended since the last commit can be dropped, so a bad frame leaves no trace.
class EventBatch {
 public:
  explicit EventBatch(std::size_t capacity) : events_(capacity) {}

  [[nodiscard]] bool push(const Event& e) noexcept {
    if (staged_ == events_.size()) return false;
    events_[staged_++] = e;
    return true;
  }
  // Room for `count` records to be written in place; nullptr when they do not fit.
  [[nodiscard]] Event* extend(std::size_t count) noexcept {
    if (events_.size() - staged_ < count) return nullptr;
    Event* at = events_.data() + staged_;
    staged_ += count;
    return at;
  }
  void commit() noexcept { committed_ = staged_; }
  void rollback() noexcept { staged_ = committed_; }
  void clear() noexcept { staged_ = committed_ = 0; }

  [[nodiscard]] std::span<Event> committed() noexcept { return {events_.data(), committed_}; }
  [[nodiscard]] std::size_t staged() const noexcept { return staged_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return events_.size(); }

 private:
  std::vector<Event> events_;
  std::size_t staged_{0};
  std::size_t committed_{0};
};

// Text frames to send, in order. The session drains it after every call into a feed or gateway.
class Outbox {
 public:
  explicit Outbox(std::size_t bytes = 256 * 1024, std::size_t frames = 256)
      : bytes_(bytes), ends_(frames) {}

  // Appends one text frame; false (and counted) when full.
  [[nodiscard]] bool push(std::string_view text) noexcept {
    if (count_ == ends_.size() || bytes_.size() - used_ < text.size()) {
      ++refused_;
      return false;
    }
    std::memcpy(bytes_.data() + used_, text.data(), text.size());
    used_ += text.size();
    ends_[count_++] = used_;
    return true;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  void clear() noexcept { used_ = count_ = 0; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  std::vector<char> bytes_;
  std::vector<std::size_t> ends_;
  std::size_t used_{0};
  std::size_t count_{0};
  std::uint64_t refused_{0};
};

}  // namespace gimbal
