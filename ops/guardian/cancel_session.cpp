#include "ops/guardian/cancel_session.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "venues/deribit/cancel_encode.hpp"

namespace gimbal::guardian {
namespace {

constexpr std::size_t request_max = 512;
// No order carries it: cancelling by it proves the right to cancel and cancels nothing.
constexpr std::string_view probe_label = "guardian-probe";
constexpr Nanos identify_max = seconds(1);
// unauthorized, forbidden, scope_exceeded: the key is at fault, and asking again changes nothing.
constexpr std::array<std::int32_t, 3> scope_refusals{13009, 13021, 13403};

LinkConfig link_config() {
  LinkConfig link;
  link.message_max = CancelSession::message_max;
  return link;
}

std::string request(std::int64_t id, std::string_view method) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string{method} +
         R"(","params":{}})";
}

}  // namespace

CancelSession::CancelSession(deribit::LoginConfig login, const TscClock& clock)
    : clock_{clock},
      login_{std::move(login)},
      reader_{message_max},
      session_{*this, slot, Priority::first, link_config()} {
  session_.set_silence_max(silence_max);
}

bool CancelSession::ready() const {
  return stage_ == Stage::up && session_.up() && now_ - answered_at_ <= fresh_max;
}

std::string CancelSession::trouble() const {
  if (ready()) return {};
  return stage_ == Stage::up ? "silent" : trouble_;
}

bool CancelSession::send(std::string_view text) { return session_.link().send_text(text); }

void CancelSession::flush_outbox() { session_.send(outbox_); }

template <class Encode>
bool CancelSession::send_cancel(Encode encode) {
  const std::span<char> out = session_.link().reserve(request_max);
  if (out.empty()) return false;
  const std::size_t bytes = encode(cancel_base + cancels_, out);
  if (bytes == 0 || !session_.link().commit(bytes)) return false;
  sent_at_ = clock_.now();
  ++cancels_;
  ++unanswered_;
  return true;
}

bool CancelSession::cancel_all() {
  return send_cancel([](std::int64_t id, std::span<char> out) {
    return deribit::encode_cancel_all(id, false, out);
  });
}

bool CancelSession::cancel_label(std::string_view label) {
  return send_cancel([label](std::int64_t id, std::span<char> out) {
    return deribit::encode_cancel_by_label(id, label, out);
  });
}

bool CancelSession::cancel_order(std::string_view order_id) {
  return send_cancel([order_id](std::int64_t id, std::span<char> out) {
    return deribit::encode_cancel(id, order_id, out);
  });
}

std::uint64_t CancelSession::ask_open() {
  if (stage_ != Stage::up) return 0;
  const std::uint64_t number = questions_ + 1;
  if (!send(request(open_base + static_cast<std::int64_t>(number), "private/get_open_orders"))) {
    return 0;
  }
  questions_ = number;
  return number;
}

void CancelSession::opened(RecvTime now) {
  now_ = now;
  stage_ = Stage::login;
  trouble_ = "logging in";
  unanswered_ = 0;
  answered_at_ = now;
  login_.on_open(now, outbox_);
  flush_outbox();
}

void CancelSession::on_login(LoginStep step) {
  if (step == LoginStep::refused) {
    trouble_ = "login refused: " + std::string{login_.refusal()};
    stage_ = Stage::down;
    return session_.leave(1000, {});
  }
  if (step != LoginStep::accepted || stage_ != Stage::login) return;  // a refreshed token
  stage_ = Stage::probe;
  trouble_ = "proving that it may cancel";
  std::array<char, request_max> text{};
  const std::size_t bytes = deribit::encode_cancel_by_label(probe_id, probe_label, text);
  (void)send({text.data(), bytes});
}

void CancelSession::on_probe(bool accepted, std::int32_t code) {
  if (stage_ != Stage::probe) return;
  if (!accepted) {
    trouble_ = "the key may not cancel: the venue answered " + std::to_string(code);
    stage_ = Stage::down;
    return session_.leave(1000, {});
  }
  if (account_ != 0) {  // the same key as before: a session made anew in a fire loses no time
    stage_ = Stage::up;
    return;
  }
  stage_ = Stage::identify;
  identify_until_ = now_ + identify_max;
  trouble_ = "asking which account its key belongs to";
  ask_identity();
}

void CancelSession::ask_identity() {
  (void)send(R"({"jsonrpc":"2.0","id":)" + std::to_string(identity_id) +
             R"(,"method":"private/get_account_summaries","params":{"extended":true}})");
}

void CancelSession::on_identity(const deribit::PrivateFrame& frame) {
  if (stage_ != Stage::identify && stage_ != Stage::up) return;
  if (frame.shape == deribit::PrivateShape::error &&
      std::find(scope_refusals.begin(), scope_refusals.end(), frame.error_code) !=
          scope_refusals.end()) {
    trouble_ = "the key cannot tell its account (it needs account:read): the venue answered " +
               std::to_string(frame.error_code);
    stage_ = Stage::down;
    return session_.leave(1000, {});
  }
  // A venue that cannot say it now still cancels: ready, and asked again with each ping.
  if (frame.shape == deribit::PrivateShape::reply && frame.account_id > 0) {
    account_ = static_cast<std::uint64_t>(frame.account_id);
  }
  stage_ = Stage::up;
}

void CancelSession::keep_picture(const deribit::PrivateFrame& frame) {
  const auto number = static_cast<std::uint64_t>(frame.id - open_base);
  if (number > questions_ || number <= picture_.number) return;
  picture_.rows.clear();
  for (const deribit::OrderRow& row : frame.orders) {
    picture_.rows.push_back(
        {std::string{row.order_id}, std::string{row.label}, std::string{row.instrument}});
  }
  picture_.number = number;
}

void CancelSession::on_reply(const deribit::PrivateFrame& frame) {
  const bool accepted = frame.shape == deribit::PrivateShape::reply;
  if (frame.id == probe_id) return on_probe(accepted, frame.error_code);
  if (frame.id >= cancel_base && frame.id < cancel_base + cancels_) {
    if (unanswered_ > 0) --unanswered_;
    if (!accepted) ++refused_;
    return;
  }
  if (accepted && frame.id > open_base && frame.id < ping_id) keep_picture(frame);
}

void CancelSession::text(const TextFrame& frame) {
  now_ = std::max(now_, frame.at);
  const Frame text{frame.data, frame.size, frame.capacity};
  const LoginStep step = login_.on_frame(text, frame.at, outbox_);
  if (step != LoginStep::not_mine) {
    answered_at_ = now_;
    on_login(step);
    return flush_outbox();
  }
  const deribit::PrivateFrame& read = reader_.read(text);
  switch (read.shape) {
    case deribit::PrivateShape::reply:
    case deribit::PrivateShape::error:
      answered_at_ = now_;
      if (read.id == identity_id)
        return on_identity(reader_.read(text, deribit::ReplyMode::account));
      return on_reply(read);
    case deribit::PrivateShape::test_request: (void)send(request(ping_id, "public/test")); return;
    default: return;  // nothing was subscribed; what cannot be read proves nothing
  }
}

void CancelSession::ended(const LinkClosed& closed, RecvTime) {
  login_.on_close();
  unanswered_ = 0;
  if (stage_ != Stage::down) trouble_ = std::string{"connection lost: "} + name_of(closed.cause);
  stage_ = Stage::down;
}

void CancelSession::timer(RecvTime now) {
  now_ = now;
  login_.on_timer(now, outbox_);
  flush_outbox();
  // It may cancel; that the venue does not say whose it is must not keep it from that.
  if (stage_ == Stage::identify && now >= identify_until_) stage_ = Stage::up;
  if (stage_ != Stage::up || now < ping_due_) return;
  ping_due_ = now + ping_interval;
  (void)send(request(ping_id, "public/test"));
  if (account_ == 0) ask_identity();
}

}  // namespace gimbal::guardian
