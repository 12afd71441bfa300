// One option's row, asked for and taken over as the core does it.
#pragma once

#include <array>

#include "engine/core/portfolio.hpp"
#include "engine/core/risk/scenario_cells.hpp"
#include "engine/quant/margin/scenario_pricer.hpp"

namespace gimbal::test {

inline ScenarioQuestion question_of(const ScenarioCells& cells, const Instrument& i,
                                    const OptionMark& mark, double spot, RecvTime now) {
  ScenarioQuestion q;
  q.underlying = i.underlying;
  q.inverse = is_inverse(i.kind);
  q.count = 1;
  q.generation = cells.anchor(i).generation;
  q.at = now;
  q.anchor = cells.anchor(i).at;
  q.spot = spot;
  q.forward = mark.seen;
  q.share = mark.share;
  q.years = mark.years;
  q.instruments[0] = i.id;
  q.strike[0] = to_double(i.strike);
  q.sigma[0] = mark.sigma;
  q.sign[0] = i.option == OptionType::put ? -1.0 : 1.0;
  return q;
}

inline ScenarioCells::Taken price_row(ScenarioCells& cells, const InstrumentTable& table,
                                      const Instrument& i, const OptionMark& mark, double spot,
                                      RecvTime now,
                                      const PricingKernels& kernels = scalar_pricing()) {
  quant::ScenarioPricer pricer{cells.config(), kernels};
  std::array<std::byte, scenario_block_max> block;
  const std::size_t n = pricer.answer(question_of(cells, i, mark, spot, now), block);
  return cells.take(ScenarioRows{std::span{block}.first(n)}, table, now);
}

}  // namespace gimbal::test
