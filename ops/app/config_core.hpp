// The tables whose structs live with the engine and the strategies. A strategy runs when its table
// is in the file.
#pragma once

#include "engine/core/engine_config.hpp"
#include "engine/core/risk/limits.hpp"
#include "strategies/registry.hpp"

namespace gimbal {

struct CoreConfig {
  EngineConfig engine;
  RiskLimits risk;
  QualityLimits quality;
  BudgetLimits budget;
  ScenarioConfig scenarios;
  PortfolioConfig portfolio;
  StrategyConfig strategy;
};

}  // namespace gimbal
