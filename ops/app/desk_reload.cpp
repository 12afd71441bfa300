// `gimbalctl reload`: the file again, whole or not at all. Limits tighten at once; loosening needs
// HALT and a second person. Room: ops/app (wiring). Cold.
#include <fmt/format.h>

#include <algorithm>

#include "engine/core/config_block.hpp"
#include "engine/runtime/side_blocks.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/monitor.hpp"

namespace gimbal {
namespace {

constexpr Nanos adoption_patience = seconds(2);

std::string argument(const OtherRequest& request, std::string_view key) {
  for (const auto& [name, value] : request.arguments) {
    if (name == key) return value;
  }
  return {};
}

// What this version carries into a running bot; every other table keeps until a restart.
bool carried(std::string_view key) {
  return key.rfind("[risk] ", 0) == 0 || key.rfind("[log] ", 0) == 0;
}

void put_changes(JsonWriter& w, const std::vector<ConfigChangeLine>& changes) {
  w.begin_array("changes");
  for (const ConfigChangeLine& c : changes) {
    w.begin_object().text("key", c.key).text("before", c.before).text("after", c.after);
    w.boolean("tightens", c.tightens).text("refused", c.refused).end_object();
  }
  w.end_array();
}

ControlAnswer answer_with(int code, std::string_view why,
                          const std::vector<ConfigChangeLine>& changes,
                          std::string_view token = {}) {
  JsonWriter w;
  w.begin_object().boolean("reloaded", false).text("error", why);
  if (!token.empty()) w.text("token", token);
  put_changes(w, changes);
  return {AnswerState::final, code, w.end_object().take()};
}

std::string problems_text(const std::vector<ConfigProblem>& problems) {
  std::string text = "the file is not valid; the old config stays";
  for (const ConfigProblem& p : problems) text += "; " + to_text(p);
  return text;
}

}  // namespace

ControlAnswer Desk::reload(const OtherRequest& request) {
  bot_.refresh(true);
  if (reload_) return refused_answer("another reload is not finished");
  if (argument(request, "reason").empty()) return refused_answer("reload needs a reason");
  std::vector<ConfigProblem> problems;
  std::unique_ptr<LoadedConfig> fresh = load_config(bot_.loaded_->path, problems);
  if (fresh == nullptr) return answer_with(2, problems_text(problems), {});
  const EngineStatus& s = bot_.snapshot_->engine;
  const bool halted = s.global >= Mode::halt && page_mode(Scope{}) >= Mode::halt;
  auto changes = compare_configs(bot_.loaded_->config, fresh->config, halted);
  for (ConfigChangeLine& c : changes) {
    if (c.refused.empty() && !carried(c.key)) c.refused = "needs a restart";
  }
  const auto no = std::find_if(changes.begin(), changes.end(),
                               [](const ConfigChangeLine& c) { return !c.refused.empty(); });
  if (no != changes.end()) {
    raise_reload(*no);
    return answer_with(3, no->key + " " + no->refused + "; nothing was changed", changes);
  }
  if (fresh->hash == bot_.loaded_->hash) {
    return done_answer(fmt::format(R"({{"reloaded":false,"unchanged":true,"config_hash":"{}"}})",
                                   bot_.loaded_->hash_hex()));
  }
  if (loosens(bot_.loaded_->config.risk, fresh->config.risk)) {
    const std::string token = argument(request, "token");
    const std::string why =
        second_person_.judge(token, fresh->hash, request.peer.uid, bot_.clock_.now());
    if (!why.empty()) {
      return answer_with(3, why, changes, token.empty() ? second_person_.token() : std::string{});
    }
  }
  return begin_reload(request, std::move(fresh), std::move(changes));
}

void Desk::raise_reload(const ConfigChangeLine& line) {
  if (line.refused.find("loosens") == std::string::npos) return;
  Trip t;
  t.code = TripCode::config_refused;
  bot_.monitor_->raise(t, line.key + " " + line.refused);
}

// The block of order counters for the new tag first: nobody may meet an order whose tag is unknown.
ControlAnswer Desk::begin_reload(const OtherRequest& request, std::unique_ptr<LoadedConfig> fresh,
                                 std::vector<ConfigChangeLine> changes) {
  const EngineStatus& s = bot_.snapshot_->engine;
  ConfigBlock block;
  block.limits = fresh->config.risk;
  block.config_hash = fresh->short_hash();
  block.first_order = (s.order_counter / ConfigTags::block_orders + 2) * ConfigTags::block_orders;
  const auto tag = static_cast<std::uint32_t>(fresh->short_hash() >> 32);
  if (!bot_.gate_.layout().tags.add(block.first_order, tag)) {
    return refused_answer("too many reloads in one boot: restart the bot");
  }
  const SideBlockRef ref =
      bot_.blocks_->publish(SideBlockKind::config, std::as_bytes(std::span{&block, 1}));
  Event event =
      make_event(EventKind::config_change, bot_.venue_, InstrumentId{}, bot_.clock_.now(), {}, ref);
  event.add_flag(event_flag::last_in_packet);
  if (ref.kind == SideBlockKind::none || !bot_.from_control_.push(event)) {
    bot_.gate_.layout().tags.drop_last();
    return refused_answer("the core cannot take a config now; the old one stays");
  }
  reload_ = PendingReload{std::move(fresh),
                          std::move(changes),
                          argument(request, "reason"),
                          s.counters.configs_refused,
                          bot_.clock_.now(),
                          {},
                          0};
  reload_request_ = request.id;
  return ControlAnswer{AnswerState::pending, 0, {}};
}

// Each cold cycle: the rest follows the core, which decides.
void Desk::watch_reload() {
  if (!reload_ || !reload_->answer.empty()) return;
  const EngineStatus& s = bot_.snapshot_->engine;
  if (s.config_hash != reload_->fresh->short_hash()) {
    const bool refused = s.counters.configs_refused > reload_->refused_before;
    if (!refused) return;
    bot_.gate_.layout().tags.drop_last();
    reload_->answer = R"({"reloaded":false,"error":"the core refused it; the old config stays"})";
    reload_->code = 3;
    return;
  }
  LoadedConfig& running = *bot_.loaded_;
  running.config.risk = reload_->fresh->config.risk;
  running.config.log = reload_->fresh->config.log;
  running.hash = reload_->fresh->hash;
  bot_.setup_.limits = running.config.risk;
  JsonWriter w;
  w.begin_object().boolean("reloaded", true).text("config_hash", running.hash_hex());
  put_changes(w, reload_->changes);
  reload_->answer = w.end_object().take();
  std::string what;
  for (const ConfigChangeLine& c : reload_->changes) {
    what += fmt::format(" {} {} -> {};", c.key, c.before, c.after);
  }
  bot_.say(fmt::format("reload: config {} ({}){}", running.hash_hex().substr(0, 16),
                       reload_->reason, what));
}

ControlAnswer Desk::reload_progress(bool deadline_passed) {
  bot_.refresh(false);
  watch_reload();
  if (!reload_->answer.empty()) {
    ControlAnswer done{AnswerState::final, reload_->code, std::move(reload_->answer)};
    reload_.reset();
    return done;
  }
  if (!deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
  return {AnswerState::final, 5,
          R"({"reloaded":false,"error":"the core has not taken it yet; gimbalctl status shows )"
          R"(the config hash"})"};
}

// A reload whose client left is finished all the same.
void Desk::drop_finished_reload() {
  if (!reload_) return;
  const Nanos age = bot_.clock_.now() - reload_->at;
  if (!reload_->answer.empty() && age > adoption_patience * 2) reload_.reset();
}

}  // namespace gimbal
