// The stop phase: a kill by hand, behind which nothing of ours rests. See world.hpp.
#include <algorithm>

#include "tests/simtest/world.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::simtest {
namespace {

constexpr Nanos stop_max = seconds(8);
// Well before a routine picture shows what a kill has left, which is cancelled then.
constexpr Nanos cancel_max = seconds(1);

}  // namespace

// Of every scope that has all of our orders: half of the time the global one.
void World::kill_all() {
  switch (operator_random_.below(10)) {
    case 0: return bot_->kill({ScopeLevel::venue, 0});
    case 1: return bot_->kill({ScopeLevel::account, 0});
    case 2: return bot_->kill({ScopeLevel::underlying, 0});
    case 3: return bot_->kill({ScopeLevel::instrument, bot_->hedge().value});
    case 4: bot_->kill({ScopeLevel::strategy, 0}); return bot_->kill({ScopeLevel::strategy, 1});
    default: return bot_->kill(Scope{});
  }
}

// Orders of another instance are not ours to cancel, where the account is not ours alone.
bool World::nothing_rests() const {
  const auto resting = venue_.resting();
  return std::none_of(resting.begin(), resting.end(), [&](sim::OrderNo n) {
    const std::string label{venue_.exchange.order(n)->label};
    return deribit::parse_label(label_tag, label).order.epoch() <= epoch_;
  });
}

void World::stop() {
  const bool clean = nothing_rests() && bot_->core().orders().open_count() == 0 &&
                     bot_->core().snapshot().cancel_jobs == 0;
  if (clean) throw Over{};
  const Nanos since = now_ - phase_began_;
  cancels_refused_ = cancels_refused_ || venue_.exchange.settling();
  if (since > cancel_max && !cancels_refused_ && !nothing_rests()) {
    checker_.fail("I12", "an order of ours rests 1 s after the kill");
    throw Over{};
  }
  if (since <= stop_max) return;
  checker_.fail(
      "I12", "not stopped " + std::to_string(stop_max.count / 1'000'000'000) + " s after the kill");
  throw Over{};
}

}  // namespace gimbal::simtest
