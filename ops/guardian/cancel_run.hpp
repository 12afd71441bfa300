// One fire carried out at the venue: cancel until it shows nothing of ours, then look once more
// when the last order that could have been on its way has expired. Holds no socket and reads no
// clock. Room: ops/guardian.
//
// own_account: one mass cancel a round. Otherwise nothing foreign is touched: first the orders that
// the bot listed in the shared page, by label; then, by id, whatever the venue shows with a label
// of ours. Cancels are paced by the account's rate.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/core/time.hpp"
#include "ops/guardian/cancel_door.hpp"

namespace gimbal::guardian {

struct RunSetup {
  bool own_account{false};
  std::string label_tag;
  Nanos settle{seconds(1)};  // after the fire: an order sent before it can no longer arrive
  double rate_per_s{5};
  double burst{20};
};

struct RunReport {
  RecvTime fired{};
  RecvTime first_cancel{};  // 0: none sent yet
  RecvTime last_cancel{};
  RecvTime confirmed_at{};
  std::uint64_t cancels{0};
  std::uint32_t rounds{0};
  std::uint64_t open_max{0};  // orders of ours in the largest picture since the fire
  std::uint64_t still_open{0};
  bool counted{false};    // the venue has answered at least once
  bool confirmed{false};  // it showed none, asked after the cancels were answered
  bool final{false};      // and again after `settle`
};

class CancelRun {
 public:
  static constexpr Nanos answer_wait = milliseconds(300);
  static constexpr Nanos picture_wait = milliseconds(500);
  static constexpr Nanos backoff_first = milliseconds(20);
  static constexpr Nanos backoff_max = seconds(1);

  explicit CancelRun(RunSetup setup) : setup_{std::move(setup)}, credits_{setup_.burst} {}

  // `labels`: what the bot listed as possibly resting; used only where the account is not ours. A
  // run that is under way goes on and takes them over.
  void start(RecvTime now, std::vector<std::string> labels);
  void step(RecvTime now, CancelDoor& door);
  // True once after each of: confirmed, final.
  [[nodiscard]] bool take_news() noexcept;
  [[nodiscard]] bool active() const noexcept { return phase_ != Phase::idle; }
  [[nodiscard]] const RunReport& report() const noexcept { return report_; }

 private:
  enum class Phase : std::uint8_t { idle, send, answers, open, settle };
  struct Target {
    std::string text;
    bool by_id{false};
  };

  void send(RecvTime now, CancelDoor& door);
  bool send_listed(RecvTime now, CancelDoor& door);
  void await_answers(RecvTime now, CancelDoor& door);
  void await_picture(RecvTime now, CancelDoor& door);
  void take_picture(RecvTime now, const OpenPicture& picture);
  void again(RecvTime due);
  [[nodiscard]] bool ours(const OpenRow& row) const;
  [[nodiscard]] bool take_credit(RecvTime now) noexcept;
  void note_sent(RecvTime at) noexcept;

  RunSetup setup_;
  RunReport report_;
  Phase phase_{Phase::idle};
  std::deque<Target> targets_;
  RecvTime due_{};
  RecvTime sent_at_{};
  RecvTime asked_at_{};
  std::uint64_t asked_{0};
  Nanos backoff_{backoff_first};
  double credits_;
  RecvTime credits_at_{};
  bool news_{false};
};

}  // namespace gimbal::guardian
