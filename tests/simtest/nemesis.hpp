// Injects the seed's faults: into texts on their way, into the venue, into the bot's process. Every
// decision comes from a random stream of its own fault. After stop() nothing new goes wrong.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tests/simtest/damaged_files.hpp"
#include "tests/simtest/faults.hpp"
#include "tests/simtest/network.hpp"
#include "tests/simtest/venue_side.hpp"

namespace gimbal::simtest {

// What an order message asks for.
enum class Ask : std::uint8_t { other, place, edit, cancel };

// Troubles of the bot's process that the run carries out.
struct ProcessTrouble {
  RecvTime paused_until{};
  RecvTime journal_back_at{};
  bool disk_failed{false};  // until the process is started again
  bool crash{false};
  Nanos down{};  // of the crash
  FileDamage damage;
  bool reconcile_again{false};
  std::int64_t wall_offset_ns{0};
  // Operator's part.
  bool kill{false};
  bool kill_instrument{false};
  std::uint32_t flood{0};
};

class Nemesis final : public Carrier {
 public:
  Nemesis(std::uint64_t seed, const FaultPlan& plan, std::uint64_t firings_max, VenueSide& venue);
  void attach(Network& network) noexcept { network_ = &network; }

  // Once a tick, before texts move.
  void tick(RecvTime now);
  // Faults stop; connections that are only half there end, so that everybody knows.
  void stop();

  void request(Lane lane, std::string text, Sink& sink) override;
  void frame(Lane lane, std::string text, Sink& sink) override;
  [[nodiscard]] bool refuses_connections() const override;
  [[nodiscard]] bool nobody_there(Lane lane) const;
  [[nodiscard]] bool splits_bytes() const override { return split_until_ > now_; }
  // Every text on its way to the venue, `way` being its connection's lane or lanes_total.
  void log_in(std::size_t way, std::string& text);

  struct QueryFate {
    bool lost{false};
    bool before_venue{false};  // lost on the way there
    int status{200};
    Nanos delay{};  // of the answer
  };
  [[nodiscard]] QueryFate query();

  [[nodiscard]] ProcessTrouble& process() noexcept { return process_; }
  [[nodiscard]] const ProcessTrouble& process() const noexcept { return process_; }
  [[nodiscard]] std::uint64_t firings() const noexcept { return firings_; }
  [[nodiscard]] const std::array<std::uint32_t, faults_total>& counts() const noexcept {
    return counts_;
  }
  [[nodiscard]] bool on(Fault f) const noexcept {
    return plan_.on.test(static_cast<std::size_t>(f));
  }
  // Instruments come and go during the run.
  [[nodiscard]] bool lists_change() const noexcept {
    return on(Fault::settled) || on(Fault::delisted);
  }
  // Whether others use up the account's message budget.
  [[nodiscard]] bool budget_shared() const noexcept;
  [[nodiscard]] RecvTime last_firing() const noexcept { return last_firing_; }

 private:
  [[nodiscard]] bool fires(Fault f) noexcept { return on(f) && draws(f); }
  [[nodiscard]] bool draws(Fault f) noexcept;
  void count(Fault f) noexcept;
  [[nodiscard]] bool may_fire() const noexcept { return !stopped_ && firings_ < firings_max_; }
  [[nodiscard]] Random& random(Fault f) noexcept { return random_[static_cast<std::size_t>(f)]; }

  // nemesis.cpp
  void place_request(std::string text, Sink& sink);
  void reply(std::string text, Sink& sink, bool mine);
  void expect_edit(std::int64_t id, std::string_view text);
  [[nodiscard]] Nanos hit_at_new_terms(std::int64_t id);
  void private_event(std::string text, Sink& sink);
  void fill_frame(const std::string& text, Sink& sink);
  void order_frame(std::string text, Sink& sink);
  void public_frame(Lane lane, std::string text, Sink& sink);
  void book_frame(std::string text, Sink& sink);
  // nemesis_moments.cpp
  void moments();
  void session_moments();
  void address_moments();
  void process_moments();
  void disk_moments();
  void damage_files(Fault fault, Damage damage);
  void account_moments();
  void venue_moments();
  void listing_moments();
  void label_of_another_boot(std::string& out);

  FaultPlan plan_;
  std::uint64_t firings_max_;
  VenueSide& venue_;
  Network* network_{nullptr};
  std::array<Random, faults_total> random_{};
  std::array<std::uint32_t, faults_total> counts_{};
  std::uint64_t firings_{0};
  RecvTime now_{};
  RecvTime last_firing_{};
  bool stopped_{false};
  ProcessTrouble process_{};

  std::map<std::int64_t, Ask> asked_;  // request id -> what
  struct EarlyFill {                   // before the reply to an edit
    sim::OrderNo order{0};
    Nanos reply_late{};
    bool mutes_order{false};  // its own events are as late
    RecvTime until{};
  };
  std::map<std::int64_t, EarlyFill> early_fills_;  // by the edit's request id
  std::set<std::int64_t> lost_replies_;            // answers that will not come
  std::set<std::string, std::less<>> muted_;       // labels whose order events are lost
  std::deque<std::string> last_private_;           // for a replay
  std::deque<std::string> last_books_;             // for a stale book
  bool replay_due_{false};
  RecvTime skewed_until_{};
  RecvTime stalled_until_{};
  RecvTime storm_until_{};
  RecvTime split_until_{};
  RecvTime banned_until_{};
  RecvTime unresolved_until_{};
  RecvTime halted_until_{};
  RecvTime restart_at_{};                                  // with a failed disk
  std::array<sim::ConnectionId, lanes_total> stranded_{};  // at the venue's old address
  bool query_stranded_{false};
  RecvTime maintenance_until_{};
  RecvTime liquidation_until_{};
  std::array<RecvTime, lanes_total> deaf_until_{};  // venue to bot is dead
  std::array<RecvTime, lanes_total> dumb_until_{};  // bot to venue is dead
  std::uint32_t strange_orders_{0};
  std::size_t settlements_seen_{0};
  std::array<int, lanes_total + 1> nonces_refused_{};  // in a row
};

// --- texts (nemesis_texts.cpp) ------------------------------------------------------------------
[[nodiscard]] Ask ask_of(std::string_view request) noexcept;
// The number after the first "id": ; -1 when there is none.
[[nodiscard]] std::int64_t id_of(std::string_view text) noexcept;
// The text value of the first member of that name; empty when there is none.
[[nodiscard]] std::string_view member_text(std::string_view text, std::string_view name) noexcept;
// The number of the first member of that name at 1e-9; 0 when there is none.
[[nodiscard]] std::int64_t member_number(std::string_view text, std::string_view name) noexcept;
[[nodiscard]] std::int64_t member_integer(std::string_view text, std::string_view name) noexcept;
void damage(std::string& text, Random& random);
void break_levels(std::string& text, Random& random);
void move_change_id(std::string& text, Random& random);
void strange_words(std::string& text, Random& random);
void empty_trade_ids(std::string& text);
// A signature is over both: with either of another value the venue refuses it.
void spoil_nonce(std::string& text);
void spoil_timestamp(std::string& text);

}  // namespace gimbal::simtest
