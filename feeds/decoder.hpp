// What a feed is: bytes in, events and bytes out, no socket, no clock. Room: feeds (hot).
//
// A feed decodes one frame at a time into an EventBatch and commits after its last check; requests
// that it wants sent (subscribe, heartbeat answers, resync) go to the Outbox. `WithLogin` joins a
// feed to a venue's login so that channels that need a session can be subscribed; only wiring names
// both.
#pragma once

#include <concepts>
#include <utility>

#include "engine/core/event.hpp"
#include "engine/core/time.hpp"
#include "feeds/frame.hpp"

namespace gimbal {

template <class F>
concept FeedDecoder = requires(F feed, const Frame& frame, RecvTime now, EventBatch& batch,
                               Outbox& outbox) {
  // The connection is up: heartbeat and subscriptions go to the outbox.
  { feed.on_open(now, outbox) } -> std::same_as<void>;
  { feed.on_frame(frame, now, batch, outbox) } -> std::same_as<DecodeStatus>;
  // The connection is gone: commits FeedStatus{invalid, disconnected} for the whole session.
  { feed.on_close(now, batch) } -> std::same_as<void>;
  // Call at least every 50 ms: resync back-off, missing answers, silence.
  { feed.on_timer(now, outbox, batch) } -> std::same_as<void>;
};

enum class LoginStep : std::uint8_t {
  not_mine,  // the frame is no answer to a login request
  waiting,   // an answer, more to come
  accepted,  // logged in (or the token was refreshed: `first` tells)
  refused,   // the venue said no; error_code() says why
};

// A login: yields request texts, reads the answers.
template <class L>
concept FrameLogin = requires(L login, const Frame& frame, RecvTime now, Outbox& outbox) {
  { login.on_open(now, outbox) } -> std::same_as<void>;
  { login.on_frame(frame, now, outbox) } -> std::same_as<LoginStep>;
  { login.on_timer(now, outbox) } -> std::same_as<void>;
  { login.ready() } -> std::same_as<bool>;
};

// A feed whose subscriptions wait for the login's answer. Satisfies FeedDecoder.
template <class Feed, class Login>
class WithLogin {
 public:
  WithLogin(Feed feed, Login login) : feed_{std::move(feed)}, login_{std::move(login)} {}

  void on_open(RecvTime now, Outbox& outbox) { login_.on_open(now, outbox); }

  DecodeStatus on_frame(const Frame& frame, RecvTime now, EventBatch& batch, Outbox& outbox) {
    const bool was_ready = login_.ready();
    switch (login_.on_frame(frame, now, outbox)) {
      case LoginStep::not_mine: return feed_.on_frame(frame, now, batch, outbox);
      case LoginStep::accepted:
        if (!was_ready) feed_.on_open(now, outbox);
        return DecodeStatus::ignored;
      case LoginStep::waiting:
      case LoginStep::refused: break;
    }
    return DecodeStatus::ignored;
  }

  void on_close(RecvTime now, EventBatch& batch) {
    login_.on_close();
    feed_.on_close(now, batch);
  }

  void on_timer(RecvTime now, Outbox& outbox, EventBatch& batch) {
    login_.on_timer(now, outbox);
    if (login_.ready()) feed_.on_timer(now, outbox, batch);
  }

  [[nodiscard]] Feed& feed() noexcept { return feed_; }
  [[nodiscard]] const Feed& feed() const noexcept { return feed_; }
  [[nodiscard]] Login& login() noexcept { return login_; }

 private:
  Feed feed_;
  Login login_;
};

}  // namespace gimbal
