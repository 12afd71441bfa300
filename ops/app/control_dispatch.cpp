// What each verb of the control socket means: permission, arguments, the call, the answer.
#include <algorithm>
#include <charconv>

#include "ops/app/control.hpp"
#include "ops/app/field_list.hpp"
#include "ops/app/json_writer.hpp"

namespace gimbal {
namespace {

constexpr std::int64_t wait_ms_default = 2000;
constexpr std::int64_t wait_ms_max = 60'000;
constexpr std::int64_t flatten_wait_ms_max = 600'000;
constexpr std::size_t hash_digits_min = 8;

ControlAnswer failed(int code, std::string_view why) {
  return {AnswerState::final, code,
          JsonWriter{}.begin_object().text("error", why).end_object().take()};
}

std::optional<std::int64_t> whole(std::string_view text, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > max)
    return std::nullopt;
  return value;
}

bool is_hash(std::string_view text) {
  return text.size() >= hash_digits_min && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Keys that the verb takes; empty: none.
std::vector<std::string_view> keys_of(ControlVerb verb) {
  switch (verb) {
    case ControlVerb::kill: return {"scope", "mode", "reason", "wait_ms"};
    case ControlVerb::arm: return {"scope", "reason", "yes", "config_hash", "wait_ms"};
    case ControlVerb::ack: return {"id", "reason"};
    case ControlVerb::reload: return {"reason", "token"};
    case ControlVerb::flatten:
      return {"scope", "reason", "options", "hedge_only", "stop", "max_loss", "token", "wait_ms"};
    case ControlVerb::stress: return {"scope"};
    default: return {};
  }
}

std::string wrong_key(const ControlRequest& request) {
  const auto allowed = keys_of(request.verb);
  for (const auto& [key, value] : request.arguments) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      return std::string{name_of(request.verb)} + " does not take " + key;
    }
  }
  return {};
}

std::string text_of(const ControlRequest& request, std::string_view key) {
  const auto* value = request.find(key);
  return value == nullptr ? std::string{} : *value;
}

}  // namespace

bool ControlPolicy::allows(ControlVerb verb, const ControlPeer& peer) const noexcept {
  const bool owner = peer.uid == owner_uid;
  const bool armer = arm_gid ? peer.in_group(*arm_gid) : owner;
  switch (verb) {
    case ControlVerb::arm:
    case ControlVerb::reload:
    case ControlVerb::flatten:
    case ControlVerb::stress: return armer;
    default: break;
  }
  return owner || peer.uid == 0 || armer || (stop_gid && peer.in_group(*stop_gid));
}

ControlAnswer refused_answer(std::string_view why) { return failed(3, why); }
ControlAnswer done_answer(std::string json) { return {AnswerState::final, 0, std::move(json)}; }

ControlAnswer kill_answer(const KillProof& proof, bool already_confirmed, bool deadline_passed) {
  if (proof.resolved()) return {AnswerState::final, 0, kill_json(proof, true)};
  if (deadline_passed) return {AnswerState::final, 5, kill_json(proof, true)};
  if (proof.confirmed() && !already_confirmed)
    return {AnswerState::partial, 0, kill_json(proof, false)};
  return {AnswerState::pending, 0, {}};
}

ControlAnswer ControlHandler::flatten(const FlattenRequest&) {
  return refused_answer("flatten is not supported here; nothing was changed");
}

void ControlServer::handle(Client& client, std::string_view line, Clock::time_point now) {
  ++counters_.requests;
  std::string error;
  const auto request = parse_request(line, error);
  if (!request) {
    ++counters_.malformed;
    return answer(client, failed(2, error));
  }
  if (client.reserve && request->verb != ControlVerb::kill) {
    ++counters_.refused;
    client.closing = true;
    return answer(client, failed(3, "too many clients: only kill is taken now"));
  }
  if (!options_.policy.allows(request->verb, client.peer)) {
    ++counters_.refused;
    return answer(client, failed(3, "uid " + std::to_string(client.peer.uid) + " may not " +
                                        std::string{name_of(request->verb)}));
  }
  if (const auto wrong = wrong_key(*request); !wrong.empty()) {
    ++counters_.malformed;
    return answer(client, failed(2, wrong));
  }
  answer(client, dispatch(client, *request, now));
}

ControlAnswer ControlServer::dispatch(Client& client, const ControlRequest& request,
                                      Clock::time_point now) {
  switch (request.verb) {
    case ControlVerb::ping: return done_answer("{\"pong\":true}");
    case ControlVerb::status:
    case ControlVerb::watch: return done_answer(status_json(handler_.status()));
    case ControlVerb::positions: return done_answer(positions_json(handler_.status()));
    case ControlVerb::orders: return done_answer(orders_json(handler_.status()));
    case ControlVerb::latency: return done_answer(latency_json(handler_.status()));
    case ControlVerb::kill:
    case ControlVerb::arm:
    case ControlVerb::flatten: return dispatch_scoped(client, request, now);
    case ControlVerb::ack:
    case ControlVerb::reload:
    case ControlVerb::stress: break;
  }
  const auto id = next_id_++;
  client.waiting = Waiting{id, now + std::chrono::milliseconds{wait_ms_default}};
  return handler_.other({id, request.verb, request.arguments, client.peer});
}

std::optional<Scope> ControlServer::scope_of(const ControlRequest& request, ControlAnswer& wrong) {
  const auto* text = request.find("scope");
  const auto parsed = parse_scope(text == nullptr ? "global" : *text);
  if (!parsed) {
    wrong = failed(
        2, "scope must be global or LEVEL:NAME (venue, account, strategy, underlying, instrument)");
    return std::nullopt;
  }
  Scope scope{parsed->level, 0};
  if (parsed->level == ScopeLevel::global) return scope;
  const auto last = static_cast<std::int64_t>(scope_count(parsed->level)) - 1;
  const auto number = whole(parsed->name, last);
  const auto id = number ? std::optional{static_cast<std::uint16_t>(*number)}
                         : handler_.resolve(parsed->level, parsed->name);
  if (!id || *id > last) {
    wrong = failed(
        2, "there is no " + std::string{name_of(parsed->level)} + " \"" + parsed->name + "\"");
    return std::nullopt;
  }
  scope.id = *id;
  return scope;
}

ControlAnswer ControlServer::dispatch_flatten(Client& client, const ControlRequest& request,
                                              Scope scope, Clock::time_point now) {
  FlattenRequest ask;
  ask.scope = scope;
  ask.scope_text = request.find("scope") == nullptr ? "global" : text_of(request, "scope");
  ask.options = text_of(request, "options") == "true";
  ask.hedge_only = text_of(request, "hedge_only") == "true";
  ask.stop = text_of(request, "stop") == "true";
  ask.token = text_of(request, "token");
  ask.reason = text_of(request, "reason");
  ask.peer = client.peer;
  if (ask.reason.empty()) return failed(3, "flatten needs a reason");
  if (ask.options && ask.hedge_only) return failed(2, "options and hedge_only exclude each other");
  const auto* limit = request.find("max_loss");
  if (!ask.stop) {
    const auto nano = limit == nullptr ? std::nullopt : field::parse_decimal_nano(*limit);
    if (!nano || *nano < 0) return failed(2, "flatten needs max_loss, in USD, such as 2500");
    ask.max_loss = Money{*nano};
  }
  const auto* wait_text = request.find("wait_ms");
  const auto wait = wait_text == nullptr ? std::optional{wait_ms_default}
                                         : whole(*wait_text, flatten_wait_ms_max);
  if (!wait) {
    return failed(2, "wait_ms must be a whole number up to " + std::to_string(flatten_wait_ms_max));
  }
  ask.id = next_id_++;
  client.waiting = Waiting{ask.id, now + std::chrono::milliseconds{*wait}};
  return handler_.flatten(ask);
}

ControlAnswer ControlServer::dispatch_scoped(Client& client, const ControlRequest& request,
                                             Clock::time_point now) {
  ControlAnswer wrong;
  const auto found = scope_of(request, wrong);
  if (!found) return wrong;
  const Scope scope = *found;
  if (request.verb == ControlVerb::flatten) return dispatch_flatten(client, request, scope, now);
  const auto* scope_text = request.find("scope");
  const std::string shown = scope_text == nullptr ? "global" : *scope_text;
  const auto* wait_text = request.find("wait_ms");
  const auto wait =
      wait_text == nullptr ? std::optional{wait_ms_default} : whole(*wait_text, wait_ms_max);
  if (!wait)
    return failed(2, "wait_ms must be a whole number up to " + std::to_string(wait_ms_max));
  const auto id = next_id_++;
  const Waiting waiting{id, now + std::chrono::milliseconds{*wait}};

  if (request.verb == ControlVerb::kill) {
    const auto* mode_text = request.find("mode");
    const auto mode =
        mode_text == nullptr ? std::optional{Mode::cancel} : parse_kill_mode(*mode_text);
    if (!mode) return failed(2, "mode must be reduce, halt, cancel or lock");
    client.waiting = waiting;
    return handler_.kill({id, scope, shown, *mode, text_of(request, "reason"), client.peer});
  }
  const auto reason = text_of(request, "reason");
  const auto hash = text_of(request, "config_hash");
  if (text_of(request, "yes") != "true") return failed(3, "arm needs yes=true");
  if (reason.empty()) return failed(3, "arm needs a reason");
  if (!is_hash(hash)) return failed(3, "arm needs config_hash, 8 to 64 hex digits");
  client.waiting = waiting;
  return handler_.arm({id, scope, shown, reason, hash, client.peer});
}

void ControlServer::progress(Client& client, Clock::time_point now) {
  const bool late = now >= client.waiting->deadline;
  auto next = handler_.progress(client.waiting->id, late);
  if (late && next.state != AnswerState::final) {
    next = failed(5, "the bot did not finish in time");
  }
  answer(client, next);
}

// Adds "final" and "code" to the answer's object and queues it as one line.
void ControlServer::answer(Client& client, const ControlAnswer& answer) {
  if (answer.state == AnswerState::pending) return;
  const bool final = answer.state == AnswerState::final;
  std::string line = answer.json.empty() ? std::string{"{}"} : answer.json;
  line.pop_back();
  line += line.size() > 1 ? "," : "";
  line += std::string{"\"final\":"} + (final ? "true" : "false") +
          ",\"code\":" + std::to_string(answer.code) + "}\n";
  client.out += line;
  if (!final) return;
  client.waiting.reset();
  if (client.reserve) client.closing = true;
}

}  // namespace gimbal
