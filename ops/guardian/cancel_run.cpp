#include "ops/guardian/cancel_run.hpp"

#include <algorithm>
#include <utility>

#include "venues/deribit/labels.hpp"

namespace gimbal::guardian {

void CancelRun::start(RecvTime now, std::vector<std::string> labels) {
  report_ = RunReport{};
  report_.fired = now;
  news_ = false;
  targets_.clear();
  if (!setup_.own_account) {
    for (std::string& label : labels) targets_.push_back(Target{std::move(label), false});
  }
  backoff_ = backoff_first;
  again(now);
}

void CancelRun::again(RecvTime due) {
  phase_ = Phase::send;
  due_ = due;
}

bool CancelRun::take_news() noexcept { return std::exchange(news_, false); }

bool CancelRun::take_credit(RecvTime now) noexcept {
  if (credits_at_.mono_ns != 0) {
    const double grown = static_cast<double>((now - credits_at_).count) * 1e-9 * setup_.rate_per_s;
    credits_ = std::min(setup_.burst, credits_ + grown);
  }
  credits_at_ = now;
  if (credits_ < 1) return false;
  credits_ -= 1;
  return true;
}

void CancelRun::note_sent(RecvTime at) noexcept {
  if (report_.cancels++ == 0) report_.first_cancel = at;
  report_.last_cancel = at;
}

void CancelRun::step(RecvTime now, CancelDoor& door) {
  switch (phase_) {
    case Phase::idle: return;
    case Phase::send: return send(now, door);
    case Phase::answers: return await_answers(now, door);
    case Phase::open: return await_picture(now, door);
    case Phase::settle:
      if (now >= report_.fired + setup_.settle) phase_ = Phase::answers;
      return;
  }
}

void CancelRun::send(RecvTime now, CancelDoor& door) {
  if (now < due_ || !door.ready()) return;
  if (setup_.own_account) {
    if (!take_credit(now) || !door.cancel_all()) return;
    note_sent(door.sent_at());
  } else if (!send_listed(now, door)) {
    return;
  }
  ++report_.rounds;
  sent_at_ = now;
  phase_ = Phase::answers;
}

// False while some wait for the account's rate or for the connection.
bool CancelRun::send_listed(RecvTime now, CancelDoor& door) {
  while (!targets_.empty()) {
    if (!take_credit(now)) return false;
    const Target& t = targets_.front();
    if (!(t.by_id ? door.cancel_order(t.text) : door.cancel_label(t.text))) return false;
    note_sent(door.sent_at());
    targets_.pop_front();
  }
  return true;
}

void CancelRun::await_answers(RecvTime now, CancelDoor& door) {
  if (door.unanswered() > 0 && now - sent_at_ <= answer_wait) return;
  asked_ = door.ask_open();
  asked_at_ = now;
  if (asked_ == 0) return again(now);  // the session is gone: all of it again when it is back
  phase_ = Phase::open;
}

void CancelRun::await_picture(RecvTime now, CancelDoor& door) {
  if (door.picture().number >= asked_) return take_picture(now, door.picture());
  if (!door.ready() || now - asked_at_ > picture_wait) again(now);
}

bool CancelRun::ours(const OpenRow& row) const {
  return setup_.own_account || deribit::parse_label(setup_.label_tag, row.label).order.valid();
}

void CancelRun::take_picture(RecvTime now, const OpenPicture& picture) {
  targets_.clear();
  std::uint64_t open = 0;
  for (const OpenRow& row : picture.rows) {
    if (!ours(row)) continue;
    ++open;
    if (!setup_.own_account) targets_.push_back(Target{row.order_id, true});
  }
  report_.counted = true;
  report_.still_open = open;
  report_.open_max = std::max(report_.open_max, open);
  if (open > 0) {
    report_.confirmed = false;
    again(now + backoff_);
    backoff_ = std::min(backoff_ + backoff_, backoff_max);
    return;
  }
  if (!report_.confirmed) {
    report_.confirmed = true;
    report_.confirmed_at = now;
    news_ = true;
  }
  if (now < report_.fired + setup_.settle) {
    phase_ = Phase::settle;
    return;
  }
  report_.final = true;
  news_ = true;
  phase_ = Phase::idle;
}

}  // namespace gimbal::guardian
