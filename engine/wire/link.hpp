// Room: engine/wire, hot. One adopted connection: ciphertext in, text messages out; text in, one
// send() out. Buffers are made in the constructor and kept across reconnects; from adopt() to
// retire() nothing allocates, locks or throws, and the only system call is send().
//
// Bytes of two frames never interleave: a partial send stays at the head of the backlog and every
// later frame queues behind it; flush() goes on with it.
//
// The steps feed / decrypt / parse and seal / encrypt / flush are public, so that a bench or a hop
// probe can stand between them; on_bytes() and commit() are their plain compositions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/wire/connector.hpp"
#include "engine/wire/websocket.hpp"

namespace gimbal {

struct LinkConfig {
  std::size_t message_max{feed_message_max};  // received text; larger: close 1009
  std::size_t send_max{64 * 1024};            // largest text to send
};

enum class LinkState : std::uint8_t {
  idle,  // nothing adopted
  open,
  closing,  // our close frame is out, waiting for the peer's
  closed,   // over; retire() and hand the remains to the cold side
};

enum class CloseCause : std::uint8_t {
  none,
  by_us,          // close() was answered
  unanswered,     // close() was not, as long as the owner waited
  by_peer,        // the peer's close frame came first
  protocol,       // the peer broke RFC 6455: ws_failure()
  tls,            // broken record or alert
  tls_closed,     // close_notify without a close frame
  end_of_stream,  // the peer's TCP end; without close_notify it may be a truncation
  socket_error,   // receive or send failed: socket_error()
  backlog_full,   // a control frame or close did not fit behind unsent bytes
};
[[nodiscard]] const char* name_of(CloseCause cause) noexcept;
inline constexpr std::uint16_t no_close_frame = 1006;  // the code where none was received

// One received text. Parse in place; valid until the sink returns.
struct TextFrame {
  char* data{nullptr};
  std::size_t size{0};
  std::size_t capacity{0};  // readable from data on, >= size + 64
  RecvTime at{};
};

struct LinkClosed {
  CloseCause cause{CloseCause::none};
  std::uint16_t code{0};  // close code received or sent; 1006 when there was none
  WsFailure failure{WsFailure::none};
  int error{0};  // errno of socket_error
};

// Written by the owning thread only; copy them out there.
struct LinkCounters {
  std::uint64_t bytes_in{0};
  std::uint64_t bytes_out{0};
  std::uint64_t texts_in{0};
  std::uint64_t texts_out{0};
  std::uint64_t pings_in{0};
  std::uint64_t pongs_in{0};
  std::uint64_t pings_out{0};
  std::uint64_t send_again{0};    // send() took less than all, or nothing
  std::uint64_t send_refused{0};  // reserve/commit refused: too long, not open or backlog full
  std::uint64_t adopted{0};
  std::uint64_t closed{0};
};

class Link {
 public:
  explicit Link(const LinkConfig& config = {});

  // Takes over a connection made by the Connector and delivers what had already arrived.
  // The link must be idle (after construction or retire()).
  template <class Sink>
  void adopt(std::unique_ptr<Established> connection, RecvTime at, Sink& sink) noexcept {
    begin(std::move(connection));
    while (take_leftover()) deliver(at, sink);
  }
  // The dead (or still open) connection, to be destroyed on the cold side; the link is idle again.
  [[nodiscard]] std::unique_ptr<Established> retire() noexcept;

  // Received ciphertext. Sink: void on_text(const TextFrame&); void on_closed(const LinkClosed&).
  // The sink may send and close on this very link.
  template <class Sink>
  void on_bytes(std::span<const char> bytes, RecvTime at, Sink& sink) noexcept {
    feed(bytes);
    while (decrypt()) deliver(at, sink);
    settle(sink);
  }
  // The poller's on_lost.
  template <class Sink>
  void on_lost(int error, Sink& sink) noexcept {
    lose(error);
    report(sink);
  }

  // Once a cycle: goes on with unsent bytes and reports an end that came up while sending.
  template <class Sink>
  void settle(Sink& sink) noexcept {
    if (backlog() > 0) flush();
    report(sink);
  }

  // --- sending: write the text in place, then commit -------------------------------------------
  // Empty span: the text is too long or the link is not open. One reservation at a time.
  [[nodiscard]] std::span<char> reserve(std::size_t bytes) noexcept;
  // Sends the first `bytes` of the reservation as one text frame. True: encrypted and handed to the
  // kernel or queued in order behind earlier bytes. False: not one byte of it was or will be sent.
  bool commit(std::size_t bytes) noexcept { return seal(bytes) && encrypt() && (flush(), true); }
  bool send_text(std::string_view text) noexcept;
  bool ping(std::string_view payload = {}) noexcept;
  // Goes on with unsent bytes; false when some are left or the link is over. settle() calls it.
  bool flush() noexcept;
  [[nodiscard]] std::size_t backlog() const noexcept;
  // Starts the close handshake; it ends with on_closed, or by give_up() when the owner has waited
  // enough: a peer that does not answer never ends it.
  void close(std::uint16_t code = 1000, std::string_view reason = {}) noexcept;
  // After close(): waits no longer for the peer's close frame.
  template <class Sink>
  void give_up(Sink& sink) noexcept {
    if (state_ == LinkState::closing) end(CloseCause::unanswered, no_close_frame);
    report(sink);
  }

  // --- the same steps one by one ---------------------------------------------------------------
  void feed(std::span<const char> bytes) noexcept;      // remember ciphertext, no copy
  [[nodiscard]] bool decrypt() noexcept;                // one record into the frame buffer
  [[nodiscard]] bool parse(WsMessage& out) noexcept;    // next text; answers pings by itself
  [[nodiscard]] bool seal(std::size_t bytes) noexcept;  // header and mask around the reservation
  [[nodiscard]] bool encrypt() noexcept;                // sealed frame -> backlog

  [[nodiscard]] LinkState state() const noexcept { return state_; }
  [[nodiscard]] bool connected() const noexcept {
    return state_ == LinkState::open || state_ == LinkState::closing;
  }
  [[nodiscard]] int fd() const noexcept { return connection_ ? connection_->fd : -1; }
  [[nodiscard]] const LinkCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const LinkClosed& closed() const noexcept { return closed_; }

  // What the next text to be sent needs: bring_near.hpp.
  void look_over() noexcept;

 private:
  template <class Sink>
  void deliver(RecvTime at, Sink& sink) noexcept {
    WsMessage message;
    while (parse(message)) {
      sink.on_text(TextFrame{message.data, message.size, message.capacity, at});
    }
    report(sink);
  }
  template <class Sink>
  void report(Sink& sink) noexcept {
    if (state_ != LinkState::closed || reported_) return;
    reported_ = true;
    sink.on_closed(closed_);
  }
  void begin(std::unique_ptr<Established> connection) noexcept;
  bool take_leftover() noexcept;
  int push_out() noexcept;
  void lose(int error) noexcept;
  void end(CloseCause cause, std::uint16_t code) noexcept;
  void on_peer_close(const WsMessage& message) noexcept;
  void on_failure() noexcept;
  bool send_control(WsOpcode opcode, std::span<const char> payload) noexcept;

  LinkConfig config_;
  WsReader reader_;
  std::vector<char> plain_;    // ws_header_max + send_max
  std::vector<char> control_;  // ws_header_max + 125
  std::span<char> sealed_;
  std::size_t reserved_{0};
  std::size_t leftover_taken_{0};
  std::unique_ptr<Established> connection_;
  MaskKeys keys_{0};
  LinkState state_{LinkState::idle};
  bool reported_{false};
  LinkClosed closed_;
  LinkCounters counters_;
};

}  // namespace gimbal
