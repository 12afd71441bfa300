#include "ops/app/universe.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "engine/quant/vector_pricing.hpp"

namespace gimbal {
namespace {

// One instrument of a dump. Trivially copyable; the build hash in the journal's header tells a
// replay whether the layout is its own.
struct DumpRow {
  Instrument definition;
  char name[48];
  char coin[16];
};
static_assert(std::is_trivially_copyable_v<DumpRow>);
struct DumpHead {
  std::uint64_t magic{0x4E55424D4947ULL};  // "GIMBUN"
  std::uint32_t row_bytes{sizeof(DumpRow)};
  std::uint32_t rows{0};
};

void copy_text(char* to, std::size_t size, std::string_view text) {
  std::memset(to, 0, size);
  std::memcpy(to, text.data(), std::min(text.size(), size - 1));
}

// Whether the block is one that dump() writes.
bool has_rows(std::span<const std::byte> block, DumpHead& head) {
  const DumpHead expected;
  if (block.size() < sizeof head) return false;
  std::memcpy(&head, block.data(), sizeof head);
  return head.magic == expected.magic && head.row_bytes == expected.row_bytes &&
         block.size() == sizeof head + std::size_t{head.rows} * sizeof(DumpRow);
}

DumpRow row_of(std::span<const std::byte> block, std::size_t i) {
  DumpRow row;
  std::memcpy(static_cast<void*>(&row), block.data() + sizeof(DumpHead) + i * sizeof row,
              sizeof row);
  return row;
}

std::string_view text_of(const char* from, std::size_t size) {
  return {from, ::strnlen(from, size)};
}

}  // namespace

Universe::Universe() : table_{instruments_max}, symbols_{instruments_max} {}

bool Universe::belongs(const UnderlyingConfig& config, ExchTime now,
                       const deribit::InstrumentRow& row) {
  if (row.underlying != config.name || row.price_index != config.index) return false;
  if (is_option(row.definition.kind)) {
    return config.options && row.definition.expiry - now <= config.expiry_within;
  }
  return config.futures || row.name == config.hedge_instrument;
}

InstrumentId Universe::list(std::size_t member, VenueId venue, const deribit::InstrumentRow& row,
                            std::string& why) {
  const InstrumentId id = deribit::install(row, venue, underlyings_, table_, symbols_, why);
  if (!id.valid()) return id;
  Member& m = members_[member];
  (is_option(row.definition.kind) ? m.options : m.futures).push_back(id);
  return id;
}

std::string Universe::add(const UnderlyingConfig& config, VenueId venue, ExchTime now,
                          const deribit::InstrumentList& list) {
  Member member;
  std::vector<const deribit::InstrumentRow*> options;
  for (const deribit::InstrumentRow& row : list.rows) {
    if (!belongs(config, now, row)) continue;
    if (is_option(row.definition.kind)) {
      options.push_back(&row);
      continue;
    }
    std::string why;
    const InstrumentId id = deribit::install(row, venue, underlyings_, table_, symbols_, why);
    if (!id.valid()) return "instrument " + row.name + ": " + why;
    member.futures.push_back(id);
    if (row.name == config.hedge_instrument) member.hedge = id;
  }
  if (!member.hedge.valid()) {
    return "[[underlying]] " + config.name + ": the venue does not list hedge_instrument " +
           config.hedge_instrument;
  }
  std::stable_sort(options.begin(), options.end(), [](const auto* a, const auto* b) {
    return a->definition.expiry < b->definition.expiry;
  });
  if (options.size() > config.option_instruments_max) options.resize(config.option_instruments_max);
  for (const deribit::InstrumentRow* row : options) {
    std::string why;
    const InstrumentId id = deribit::install(*row, venue, underlyings_, table_, symbols_, why);
    if (!id.valid()) return "instrument " + row->name + ": " + why;
    member.options.push_back(id);
  }
  member.id = table_[member.hedge].underlying;
  members_.push_back(std::move(member));
  return {};
}

std::vector<std::vector<std::byte>> Universe::dump(std::size_t block_max, std::size_t first) const {
  const std::size_t rows_max = (block_max - sizeof(DumpHead)) / sizeof(DumpRow);
  std::vector<std::vector<std::byte>> blocks;
  for (; first < table_.size(); first += rows_max) {
    DumpHead head;
    head.rows = static_cast<std::uint32_t>(std::min(rows_max, table_.size() - first));
    std::vector<std::byte> block(sizeof head + head.rows * sizeof(DumpRow));
    std::memcpy(block.data(), &head, sizeof head);
    for (std::size_t i = 0; i < head.rows; ++i) {
      const InstrumentId id{static_cast<std::uint16_t>(first + i)};
      DumpRow row;
      std::memset(static_cast<void*>(&row), 0, sizeof row);
      row.definition = table_[id];
      copy_text(row.name, sizeof row.name, symbols_.name(id));
      copy_text(row.coin, sizeof row.coin, underlyings_.name(table_[id].underlying));
      std::memcpy(block.data() + sizeof head + i * sizeof row, &row, sizeof row);
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

bool Universe::restore(std::span<const std::byte> block, std::string& error) {
  DumpHead head;
  if (block.size() < sizeof head) {
    error = "the instrument block is too short";
    return false;
  }
  if (!has_rows(block, head)) {
    error = "the instrument block was written by another version";
    return false;
  }
  for (std::size_t i = 0; i < head.rows; ++i) {
    const DumpRow row = row_of(block, i);
    deribit::InstrumentRow listed;
    listed.name = text_of(row.name, sizeof row.name);
    listed.underlying = text_of(row.coin, sizeof row.coin);
    listed.definition = row.definition;
    std::string why;
    const InstrumentId id =
        deribit::install(listed, row.definition.venue, underlyings_, table_, symbols_, why);
    if (id != row.definition.id) {
      error = "instrument " + listed.name + " in the journal is refused: " + why;
      return false;
    }
  }
  return true;
}

void Universe::read_names(std::span<const std::byte> block, std::vector<std::string>& names) {
  DumpHead head;
  if (!has_rows(block, head)) return;
  for (std::size_t i = 0; i < head.rows; ++i) {
    const DumpRow row = row_of(block, i);
    const std::size_t id = row.definition.id.value;
    if (names.size() <= id) names.resize(id + 1);
    names[id] = text_of(row.name, sizeof row.name);
  }
}

std::string Universe::rebind(const Config& config) {
  members_.clear();
  for (const UnderlyingConfig& u : config.underlyings) {
    Member member;
    member.hedge = symbols_.find(u.hedge_instrument);
    if (!member.hedge.valid()) return "hedge_instrument " + u.hedge_instrument + " is unknown";
    member.id = table_[member.hedge].underlying;
    // In the order of their ids, which is the order in which add() listed them.
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const InstrumentId id{static_cast<std::uint16_t>(i)};
      if (table_[id].underlying != member.id) continue;
      (is_option(table_[id].kind) ? member.options : member.futures).push_back(id);
    }
    members_.push_back(std::move(member));
  }
  return {};
}

namespace {

StrategyNames names_of(const Universe& universe) {
  StrategyNames names;
  names.store = &universe;
  names.find_instrument = [](const void* store, std::string_view name) {
    return static_cast<const Universe*>(store)->symbols().find(name);
  };
  names.find_underlying = [](const void* store, std::string_view name) {
    return static_cast<const Universe*>(store)->underlyings().find(name);
  };
  names.find_hedge = [](const void* store, UnderlyingId u) {
    for (const Universe::Member& m : static_cast<const Universe*>(store)->members()) {
      if (m.id == u) return m.hedge;
    }
    return InstrumentId{};
  };
  return names;
}

Numeraire numeraire_of(const Config& config, const std::string& coin) {
  for (const DeltaHedgeConfig& c : config.strategy.of<DeltaHedge>()) {
    if (c.underlying == coin) return c.numeraire;
  }
  return Numeraire::coin;
}

}  // namespace

std::string make_engine_setup(const Config& config, const Universe& universe, EngineSetup& setup,
                              StrategySet& strategies) {
  setup.engine = config.engine;
  setup.kernels = quant::proven_pricing().kernels;
  setup.limits = config.risk;
  setup.quality = config.quality;
  setup.budget = config.budget;
  setup.scenarios = config.scenarios;
  setup.portfolio = config.portfolio;
  setup.portfolio.surface_age_max = config.surface.use ? config.surface.age_max : Nanos{};
  setup.portfolio.flat_volatility = config.surface.flat_volatility;
  setup.guardian_required = config.runtime.guardian_required;
  setup.guardian_loss = config.guardian.loss_wait;
  for (std::size_t m = 0; m < config.modules.size() && m < risk_modules_max; ++m) {
    setup.modules[m] = {true, config.modules[m].required, config.modules[m].ttl};
  }
  for (std::size_t v = 0; v < config.venues.size() && v < venues_max; ++v) {
    setup.own_account[v] = config.venues[v].own_account;
    setup.venue_used[v] = true;
  }
  for (std::size_t i = 0; i < universe.members().size(); ++i) {
    const Universe::Member& member = universe.members()[i];
    UnderlyingSetup& u = setup.underlyings[member.id.value];
    if (u.hedge.valid()) continue;  // the first [[underlying]] of a coin names its hedge
    u.hedge = member.hedge;
    u.numeraire = numeraire_of(config, config.underlyings[i].name);
    u.order_to_trade_max = config.underlyings[i].order_to_trade_max;
    u.settlement = universe.table()[member.hedge].settlement;
    u.venue = universe.table()[member.hedge].venue;
    for (const LiquidationConfig& l : config.strategy.of<Liquidation>()) {
      if (l.underlying == config.underlyings[i].name) u.margin = venue_model(l.margin_model);
    }
  }
  strategies = make_strategies();
  const StrategyProblem wrong = bind_strategies(config.strategy, names_of(universe), strategies);
  if (wrong.why.empty()) return {};
  return "[[" + std::string{wrong.table} + "]] " + std::to_string(wrong.number) + ": " +
         std::string{wrong.why};
}

}  // namespace gimbal
