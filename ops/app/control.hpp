// The control socket: who may say what to a running bot, and how. Room: ops/app. Cold thread only.
//
// A Unix stream socket (0660) in a 0750 directory. A request is one line of at most 4096 bytes, as
// `verb key=value key="a b"` or as a flat JSON object {"verb":"kill","mode":"cancel"}; an answer is
// one or more lines of JSON, the last with "final":true and "code" (the exit code of gimbalctl).
// A line must be complete 100 ms after its first byte. Eight clients are served; further
// connections may only say `kill`, within 100 ms, and the oldest of them is dropped for the next: a
// flood cannot block a kill. Malformed input is answered with code 2 and changes nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"
#include "engine/runtime/outcome.hpp"
#include "ops/app/control_protocol.hpp"
#include "ops/app/status.hpp"

namespace gimbal {

// Who is at the other end, as of connect(2).
struct ControlPeer {
  std::uint32_t uid{0};
  std::uint32_t gid{0};
  std::uint32_t pid{0};
  std::vector<std::uint32_t> groups;  // supplementary
  std::string exe;                    // best effort, for the record
  [[nodiscard]] bool in_group(std::uint32_t group) const noexcept;
};

// Who may stop and who may arm. Groups that do not exist fall back to the owner.
struct ControlPolicy {
  std::uint32_t owner_uid{0};
  std::optional<std::uint32_t> stop_gid;  // group gimbal-stop
  std::optional<std::uint32_t> arm_gid;   // group gimbal-arm

  static ControlPolicy of_this_process();
  // Reading and stopping: owner, root, members of either group. Loosening (arm, reload, flatten,
  // stress): members of gimbal-arm; where there is no such group, the owner.
  [[nodiscard]] bool allows(ControlVerb verb, const ControlPeer& peer) const noexcept;
};

struct KillRequest {
  std::uint64_t id{0};
  Scope scope{};
  std::string scope_text;
  Mode mode{Mode::cancel};
  std::string reason;
  ControlPeer peer;
};

struct ArmRequest {
  std::uint64_t id{0};
  Scope scope{};
  std::string scope_text;
  std::string reason;       // never empty
  std::string config_hash;  // as given: at least 8 hex digits
  ControlPeer peer;
};

// Without a token: a plan is asked for, nothing changes. With the token of a plan: it is carried
// out.
struct FlattenRequest {
  std::uint64_t id{0};
  Scope scope{};
  std::string scope_text;
  bool options{false};
  bool hedge_only{false};
  bool stop{false};  // ends the running job
  Money max_loss{};  // USD
  std::string token;
  std::string reason;  // never empty
  ControlPeer peer;
};

struct OtherRequest {  // reload, ack, stress
  std::uint64_t id{0};
  ControlVerb verb{ControlVerb::ack};
  std::vector<ControlArgument> arguments;
  ControlPeer peer;
};

// pending: ask again through progress(); partial: send this line, then ask again; final: the last.
enum class AnswerState : std::uint8_t { pending, partial, final };
struct ControlAnswer {
  AnswerState state{AnswerState::final};
  int code{0};       // ExitCode; of final answers
  std::string json;  // an object without "final" and "code": those are added
};
[[nodiscard]] ControlAnswer refused_answer(std::string_view why);  // code 3
[[nodiscard]] ControlAnswer done_answer(std::string json);         // code 0
// The answer of a kill as its proof stands: final with 0 once resolved; partial on the first
// confirmation with unknown orders left; final with 5 when `deadline_passed`; else pending.
[[nodiscard]] ControlAnswer kill_answer(const KillProof& proof, bool already_confirmed,
                                        bool deadline_passed);

// What the bot does for each verb. All calls come from the thread that runs poll_once; none may
// block. Permission has been checked and the scope resolved.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  // The id of a named scope ("account", "deribit-main"); nullopt when there is none.
  virtual std::optional<std::uint16_t> resolve(ScopeLevel level, std::string_view name) = 0;
  virtual ControlAnswer kill(const KillRequest& request) = 0;
  virtual ControlAnswer arm(const ArmRequest& request) = 0;
  virtual ControlAnswer flatten(const FlattenRequest& request);  // refuses by itself
  virtual ControlAnswer other(const OtherRequest& request) = 0;
  // Of a request that was answered `pending` or `partial`. After `deadline_passed` the answer must
  // be final.
  virtual ControlAnswer progress(std::uint64_t request_id, bool deadline_passed) = 0;
  virtual const StatusReport& status() = 0;
};

// Makes a directory with mode 0750, or accepts one that others cannot enter and the group cannot
// write. For the runtime and state directories too.
Outcome make_private_directory(const std::string& directory);

struct ControlOptions {
  std::string path;  // at most 107 bytes
  ControlPolicy policy;
  // Reads the peer's ids; replaceable, since one process has one uid. Default: SO_PEERCRED.
  std::function<bool(int fd, ControlPeer& peer)> read_peer;
  std::chrono::milliseconds line_timeout{100};
  std::chrono::seconds idle_timeout{60};
  std::size_t clients_max{8};
};

struct ControlCounters {
  std::uint64_t accepted{0};
  std::uint64_t requests{0};
  std::uint64_t refused{0};  // no permission
  std::uint64_t malformed{0};
  std::uint64_t timed_out{0};
  std::uint64_t evicted{0};  // pushed out of the reserve by a newer connection
};

class ControlServer {
 public:
  ControlServer(ControlOptions options, ControlHandler& handler);
  ~ControlServer();  // closes every connection and removes the socket
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Makes the directory (0750) and the socket; a socket file nobody listens on is replaced, one
  // that answers is an error.
  Outcome open();
  // Waits at most `timeout` for something to do, then does all of it. Returns requests handled.
  std::size_t poll_once(std::chrono::milliseconds timeout);
  // Somebody's request is being worked on: it goes on with the next call.
  [[nodiscard]] bool waited_for() const noexcept;
  [[nodiscard]] const ControlCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::uint64_t id{0};
    Clock::time_point deadline;
  };
  struct Client {
    int fd{-1};
    ControlPeer peer;
    bool reserve{false};  // may only say kill
    bool closing{false};  // close once `out` is written
    std::string in;
    std::string out;
    Clock::time_point line_began;
    Clock::time_point last_active;
    std::optional<Waiting> waiting;
  };

  void accept_all(Clock::time_point now);
  void add_client(int fd, Clock::time_point now);
  void evict_oldest_reserve();
  void receive(Client& client, Clock::time_point now);
  void take_lines(Client& client, Clock::time_point now);
  void handle(Client& client, std::string_view line, Clock::time_point now);
  ControlAnswer dispatch(Client& client, const ControlRequest& request, Clock::time_point now);
  ControlAnswer dispatch_scoped(Client& client, const ControlRequest& request,
                                Clock::time_point now);
  ControlAnswer dispatch_flatten(Client& client, const ControlRequest& request, Scope scope,
                                 Clock::time_point now);
  // What a request's `scope` names; an answer of code 2 when it names nothing.
  std::optional<Scope> scope_of(const ControlRequest& request, ControlAnswer& wrong);
  void progress(Client& client, Clock::time_point now);
  void answer(Client& client, const ControlAnswer& answer);
  void send_some(Client& client, Clock::time_point now);
  void expire(Clock::time_point now);
  void drop_closed();
  [[nodiscard]] int wait_ms(std::chrono::milliseconds timeout, Clock::time_point now) const;

  ControlOptions options_;
  ControlHandler& handler_;
  int listener_{-1};
  std::list<Client> clients_;
  std::uint64_t next_id_{1};
  ControlCounters counters_;
};

}  // namespace gimbal
