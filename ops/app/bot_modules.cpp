// Risk modules of third parties on the cold side: what they are told, what the core is told of
// them. Room: ops/app (wiring). Cold thread.
#include <fmt/format.h>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/risk_module.hpp"

namespace gimbal {
namespace {

const char* text(ModuleSight s) {
  switch (s) {
    case ModuleSight::absent: return "absent";
    case ModuleSight::live: return "live";
    case ModuleSight::dead: return "dead";
    case ModuleSight::invalid: return "invalid";
    case ModuleSight::late: return "late";
  }
  return "invalid";
}

}  // namespace

void Bot::name_instruments(RiskModule& module) const {
  while (module.listed() < universe_.table().size()) {
    const InstrumentId id{static_cast<std::uint16_t>(module.listed())};
    module.list(universe_.symbols().name(id), universe_.table()[id]);
  }
}

// Before the first event: a module sees the boot itself.
std::string Bot::open_modules() {
  const Config& config = loaded_->config;
  for (std::size_t m = 0; m < config.modules.size() && m < risk_modules_max; ++m) {
    const ModuleConfig& from = config.modules[m];
    modules_.push_back(std::make_unique<RiskModule>());
    const std::string directory = config.module_directory(from);
    const Outcome opened = modules_.back()->open(
        {from.name, static_cast<std::uint8_t>(m), directory, from.ttl, epoch_});
    if (!opened) return "[[module]] " + from.name + ": " + opened.error();
    name_instruments(*modules_.back());
    say(fmt::format("module {}: {}, ttl {:.3f} s, {}", from.name, directory,
                    static_cast<double>(from.ttl.count) * 1e-9,
                    from.required ? "required: nothing may grow until it speaks" : "not required"));
  }
  if (modules_.empty()) return {};
  journal_->observe([this](const Event& e) {
    for (const auto& module : modules_) module->put(e);
  });
  return {};
}

void Bot::watch_modules() {
  for (const auto& module : modules_) {
    name_instruments(*module);
    if (from_control_.room() == 0) return;
    const std::span<const std::byte> bytes = module->look(clock_.now());
    if (bytes.empty()) continue;
    const SideBlockRef block = blocks_->publish(SideBlockKind::risk_envelope, bytes);
    if (block.kind == SideBlockKind::none) continue;  // the next look says it again
    const Event e =
        make_event(EventKind::side_block, venue_, InstrumentId{}, clock_.now(), {}, block);
    if (from_control_.push(e)) {
      module->told();
    } else {
      for (int holder = 0; holder < 2; ++holder) blocks_->release(block);
    }
  }
}

std::string Bot::module_text(const Trip& trip) const {
  const auto n = static_cast<std::size_t>(trip.evidence);
  if (trip.code != TripCode::module_lost || n >= modules_.size()) return {};
  const std::string& trouble = modules_[n]->trouble();
  return modules_[n]->name() + (trouble.empty() ? "" : ": " + trouble);
}

void Desk::fill_modules() {
  report_.modules.clear();
  const EngineStatus& s = bot_.snapshot_->engine;
  for (std::size_t m = 0; m < bot_.modules_.size(); ++m) {
    const ModuleSeat& seat = s.modules[m];
    const RiskModule& from = *bot_.modules_[m];
    ModuleLine line;
    line.module = from.name();
    line.state = text(seat.sight);
    line.required = seat.required;
    line.denies = seat.lost;
    line.instruments = seat.capped;
    line.envelopes = seat.taken;
    line.invalid = from.invalid() + seat.refused;
    line.lost = from.lost();
    line.ttl_ns = seat.ttl.count;
    line.age_ns = seat.taken > 0 ? (s.now - seat.made).count : -1;
    line.behind = seat.taken > 0 && s.seq > seat.as_of ? s.seq - seat.as_of : 0;
    line.trouble = from.trouble();
    report_.modules.push_back(std::move(line));
  }
}

}  // namespace gimbal
