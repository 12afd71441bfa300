// The operator's desk: answers the control socket for a running bot. A kill closes the last gate
// first, then tells the core, then writes the latch, and is answered with a proof once the venue
// shows nothing resting; an arm is the core's to judge. Room: ops/app (wiring). Cold thread only.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/app/arm_counts.hpp"
#include "ops/app/bot.hpp"
#include "ops/app/command_outbox.hpp"
#include "ops/app/control.hpp"
#include "ops/app/second_person.hpp"

namespace gimbal {

// The core's verdict in words.
[[nodiscard]] const char* result_text(OperatorResult result);

class Desk final : public ControlHandler {
 public:
  explicit Desk(Bot& bot);
  // Opens the socket. Empty text on success.
  [[nodiscard]] std::string open();
  std::size_t poll_once(std::chrono::milliseconds timeout) { return server_->poll_once(timeout); }
  [[nodiscard]] bool waited_for() const { return server_->waited_for(); }
  // An arm of everything waits: where it is refused, it stops everything by itself.
  [[nodiscard]] bool arming_all() const noexcept { return arm_ && arm_->scope == Scope{}; }

  // A stop that did not come over the socket (signal, stop page): the same work, no answer to send.
  void stop_from(OperatorSource source, Scope scope, Mode mode, const std::string& reason);
  // Whether the signal's stop is confirmed: nothing of ours rests at the venue.
  [[nodiscard]] bool stop_confirmed();
  // The report from the last snapshot, without asking the core for a new one.
  const StatusReport& picture();
  [[nodiscard]] std::string scope_text(Scope scope) const;
  // PAUSE(global) of the alert book, or its end (M-02).
  void pause_growth(bool pause);
  // Journals an acknowledgement: an operator command with the alert's number as its hash.
  void note_ack(std::uint64_t alert, TripCode subject, const ControlPeer& peer);
  [[nodiscard]] std::string metrics_page();
  [[nodiscard]] std::uint64_t refused_requests() const noexcept;
  // Each cold cycle: takes a FLATTEN's pass back when its job has ended or anybody wrote a stop.
  void watch_flatten();
  // Each cold cycle: the commands that the ring to the core had no room for, in their order.
  void send_unsent();
  // Each cold cycle: takes a reload over once the core has.
  void watch_reload();
  void drop_finished_reload();
  // To the core, in order; see CommandOutbox for what happens when there is no room.
  void push_command(const OperatorCommand& command);

  // --- ControlHandler
  std::optional<std::uint16_t> resolve(ScopeLevel level, std::string_view name) override;
  ControlAnswer kill(const KillRequest& request) override;
  ControlAnswer arm(const ArmRequest& request) override;
  ControlAnswer flatten(const FlattenRequest& request) override;
  ControlAnswer other(const OtherRequest& request) override;
  ControlAnswer progress(std::uint64_t request_id, bool deadline_passed) override;
  const StatusReport& status() override;
  // An arm that the core has not heard of yet ends: something tripped meanwhile.
  void withdraw_waiting_arm();

 private:
  // Each stop that somebody waits for has its own proof: what another stop proves says nothing of
  // it.
  struct Stop {
    std::uint64_t command{0};
    std::uint64_t request{0};  // of the operator who waits for it
    bool confirmed{false};
    Scope scope{};
    Mode mode{Mode::cancel};
    RecvTime t_recv{};
    RecvTime t_closed{};
    std::uint64_t cancels_before{0};
    std::uint64_t count_asked{0};
    bool answered{false};  // the core has stepped the command
    bool shown{false};     // the first proof line went out
    KillProof proof{};
  };
  struct PendingArm {
    Scope scope{};
    std::string reason;
    ControlPeer peer;
    std::uint64_t command{0};  // 0: not sent to the core yet
    // As it was when the arm began; what has moved since, somebody closed.
    Mode before{Mode::lock};  // of the gate word
    ArmCounts counts{};
  };
  struct PendingFlatten {
    std::uint64_t command{0};
    Stop stop{};             // its CANCEL
    std::uint64_t stops{0};  // the stop page's requests when it began
    OperatorResult result{OperatorResult::accepted};
    bool over{false};
  };

  [[nodiscard]] Stop begin_kill(Scope scope, Mode mode, OperatorSource source,
                                const ControlPeer& peer, const std::string& reason);
  [[nodiscard]] KillProof first_proof(const Stop& stop, const CloseResult& closed,
                                      const ControlPeer& peer, const std::string& reason);
  void send_command(OperatorAction action, std::uint64_t id, Scope scope, Mode mode,
                    OperatorSource source, const ControlPeer& peer);
  [[nodiscard]] bool try_push(const OperatorCommand& command);
  [[nodiscard]] bool kill_settled(Stop& stop);
  [[nodiscard]] bool joins_page_stop(const KillRequest& request) const;
  void join_page_stop(const KillRequest& request);
  void fill_proof(Stop& stop);
  ControlAnswer kill_progress(Stop& stop, bool deadline_passed);
  bool send_arm();  // false: too early
  ControlAnswer arm_progress(bool deadline_passed);
  void withdraw_arm(Scope stopped);
  [[nodiscard]] ArmCounts arm_counts() const;
  [[nodiscard]] std::string arm_objection(const PendingArm& arm) const;
  [[nodiscard]] std::string arm_verdict(const OperatorAnswer& answer) const;
  void take_back(const PendingArm& arm, const std::string& why, Mode wiped = Mode::active);
  ControlAnswer refuse_arm(const PendingArm& pending, const std::string& why,
                           Mode wiped = Mode::active);
  ControlAnswer finish_arm(const OperatorAnswer& answer);
  // What became of it, for the proof.
  std::string latch(const LatchEntry& entry);
  [[nodiscard]] LatchEntry latch_entry(Scope scope, Mode mode, std::uint64_t command,
                                       const ControlPeer& peer, const std::string& reason) const;

  // desk_flatten.cpp
  [[nodiscard]] Mode page_mode(Scope scope) const;
  [[nodiscard]] std::string flatten_objection(Scope scope) const;
  ControlAnswer flatten_plan(const FlattenRequest& request);
  void begin_flatten(const FlattenRequest& request);
  [[nodiscard]] bool flatten_stop_proven();
  ControlAnswer flatten_progress(bool deadline_passed);
  [[nodiscard]] std::string flatten_json(bool done);
  void fill_flatten();

  // desk_reload.cpp
  struct PendingReload {
    std::unique_ptr<LoadedConfig> fresh;
    std::vector<ConfigChangeLine> changes;
    std::string reason;
    std::uint64_t refused_before{0};
    RecvTime at{};
    std::string answer;  // not empty: decided
    int code{0};
  };
  ControlAnswer reload(const OtherRequest& request);
  void raise_reload(const ConfigChangeLine& line);
  ControlAnswer begin_reload(const OtherRequest& request, std::unique_ptr<LoadedConfig> fresh,
                             std::vector<ConfigChangeLine> changes);
  ControlAnswer reload_progress(bool deadline_passed);

  // desk_status.cpp
  void fill_status();
  void fill_scopes();
  void fill_venues();
  void fill_books();
  void fill_ladders();
  void fill_latency();
  [[nodiscard]] DayStatus day_status();            // bot_day.cpp
  [[nodiscard]] RecoveryStatus recovery_status();  // bot_orders_kept.cpp
  void fill_execution();
  void fill_modules();  // bot_modules.cpp
  [[nodiscard]] std::string instrument_name(InstrumentId id) const;

  Bot& bot_;
  std::unique_ptr<ControlServer> server_;
  StatusReport report_;
  CommandOutbox unsent_;
  static constexpr std::size_t asked_max = 64;
  std::list<Stop> asked_;          // by operators, whose last line has not gone out
  std::optional<Stop> page_stop_;  // the last that the stop page had; its command line may follow
  std::optional<Stop> leaving_;    // the signal's
  std::uint64_t last_stop_{0};     // command of the newest, whoever wrote it
  std::optional<PendingArm> arm_;
  std::uint64_t arm_request_{0};
  std::optional<FlattenRequest> plan_;  // with its token
  RecvTime planned_{};
  std::optional<PendingFlatten> flatten_;
  std::uint64_t flatten_request_{0};
  SecondPerson second_person_;
  std::optional<PendingReload> reload_;
  std::uint64_t reload_request_{0};
  std::uint64_t next_command_{1};
};

}  // namespace gimbal
