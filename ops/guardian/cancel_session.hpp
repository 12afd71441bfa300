// The guardian's own session at the venue: one WebSocket over TLS with a key of its own, kept warm
// by a question every half second, proven able to cancel before it calls itself ready.
// Room: ops/guardian. One thread; it links the texts of cancels and no order encoder.
#pragma once

#include <cstdint>
#include <string>

#include "ops/app/session.hpp"
#include "ops/guardian/cancel_door.hpp"
#include "venues/deribit/login.hpp"
#include "venues/deribit/private_reader.hpp"

namespace gimbal::guardian {

class CancelSession final : public CancelDoor {
 public:
  static constexpr std::uint16_t slot = 0;
  static constexpr Nanos ping_interval = milliseconds(500);
  static constexpr Nanos fresh_max = seconds(2);    // since the last answer
  static constexpr Nanos silence_max = seconds(3);  // then the connection is given up
  static constexpr std::size_t message_max = std::size_t{4} << 20;

  CancelSession(deribit::LoginConfig login, const TscClock& clock);

  // --- the owner's loop
  [[nodiscard]] Session<CancelSession>& session() noexcept { return session_; }
  void tick(RecvTime now) noexcept { now_ = now; }
  // Cancels sent and refused by the venue since the start.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  // The venue's number of the account that the key belongs to; 0 until the venue has said it. Known
  // before the session is ready.
  [[nodiscard]] std::uint64_t account() const noexcept { return account_; }
  // Why it is not ready: "connecting", "login refused: ...", "silent"; empty when ready.
  [[nodiscard]] std::string trouble() const;

  // --- CancelDoor
  [[nodiscard]] bool ready() const override;
  bool cancel_all() override;
  bool cancel_label(std::string_view label) override;
  bool cancel_order(std::string_view order_id) override;
  [[nodiscard]] RecvTime sent_at() const override { return sent_at_; }
  std::uint64_t ask_open() override;
  [[nodiscard]] const OpenPicture& picture() const override { return picture_; }
  [[nodiscard]] std::size_t unanswered() const override { return unanswered_; }

  // --- Session's owner
  void opened(RecvTime now);
  void text(const TextFrame& frame);
  void ended(const LinkClosed& closed, RecvTime now);
  void timer(RecvTime now);

 private:
  enum class Stage : std::uint8_t { down, login, probe, identify, up };
  // Requests of one kind take ids from its base on; the login has its own.
  static constexpr std::int64_t cancel_base = 1'000'000'000;
  static constexpr std::int64_t open_base = 2'000'000'000;
  static constexpr std::int64_t ping_id = 3'000'000'000;
  static constexpr std::int64_t probe_id = 3'000'000'001;
  static constexpr std::int64_t identity_id = 3'000'000'002;

  template <class Encode>
  bool send_cancel(Encode encode);
  bool send(std::string_view text);
  void flush_outbox();
  void on_login(LoginStep step);
  void on_reply(const deribit::PrivateFrame& frame);
  void on_probe(bool accepted, std::int32_t code);
  void ask_identity();
  void on_identity(const deribit::PrivateFrame& frame);
  void keep_picture(const deribit::PrivateFrame& frame);

  const TscClock& clock_;
  deribit::DeribitLogin login_;
  deribit::PrivateReader reader_;
  Outbox outbox_{1u << 16, 64};
  OpenPicture picture_;
  Stage stage_{Stage::down};
  RecvTime now_{};
  RecvTime answered_at_{};
  RecvTime ping_due_{};
  RecvTime sent_at_{};
  std::int64_t cancels_{0};
  std::uint64_t questions_{0};
  std::size_t unanswered_{0};
  std::uint64_t refused_{0};
  std::uint64_t account_{0};
  RecvTime identify_until_{};
  std::string trouble_{"connecting"};
  Session<CancelSession> session_;
};

}  // namespace gimbal::guardian
