#include "ops/app/listings.hpp"

#include <algorithm>
#include <array>

namespace gimbal {
namespace {

const deribit::InstrumentList* list_of(const InstrumentPicture& picture,
                                       const std::string& currency) {
  for (const auto& [name, list] : picture.lists) {
    if (name == currency) return &list;
  }
  return nullptr;
}

bool trades(InstrumentState s) noexcept { return s == InstrumentState::open; }

}  // namespace

void Listings::suspect(InstrumentId id, RecvTime at) {
  for (Suspect& s : suspects_) {
    if (s.id == id) {
      s.at = at;
      return;
    }
  }
  suspects_.push_back({id, at});
}

void Listings::compare_known(InstrumentId id, const deribit::InstrumentRow& row,
                             const Universe& universe, RecvTime begun,
                             std::vector<ListingChange>& out) {
  const Instrument& known = universe.table()[id];
  if (known.state == InstrumentState::settled) return;
  const auto suspected = std::find_if(suspects_.begin(), suspects_.end(),
                                      [id](const Suspect& s) { return s.id == id; });
  if (suspected != suspects_.end()) {
    if (begun <= suspected->at) return;  // the list may be older than what the feed said
    suspects_.erase(suspected);
  } else if (trades(known.state) && same_terms(known, row.definition)) {
    return;
  }
  out.push_back({ListingStep::redefined, id, 0, row});
}

void Listings::add_new(std::size_t member, const UnderlyingConfig& config, const Universe& universe,
                       std::vector<const deribit::InstrumentRow*> rows,
                       std::vector<ListingChange>& out) {
  const auto& options = universe.members()[member].options;
  const auto alive =
      static_cast<std::size_t>(std::count_if(options.begin(), options.end(), [&](InstrumentId id) {
        return universe.table()[id].state != InstrumentState::settled;
      }));
  const std::size_t budget =
      config.option_instruments_max > alive ? config.option_instruments_max - alive : 0;
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
    return a->definition.expiry < b->definition.expiry;
  });
  std::size_t taken = 0;
  for (const deribit::InstrumentRow* row : rows) {
    if (is_option(row->definition.kind) && ++taken > budget) {
      ++counters_.over_budget;
      continue;
    }
    out.push_back({ListingStep::listed, {}, member, *row});
  }
}

std::vector<ListingChange> Listings::compare(const std::vector<UnderlyingConfig>& config,
                                             const Universe& universe, ExchTime now,
                                             const InstrumentPicture& picture) {
  ++counters_.refreshes;
  counters_.over_budget = 0;
  std::vector<ListingChange> out;
  for (std::size_t m = 0; m < config.size() && m < universe.members().size(); ++m) {
    const deribit::InstrumentList* list = list_of(picture, config[m].currency);
    if (list == nullptr) continue;
    std::set<std::uint16_t> seen;
    std::vector<const deribit::InstrumentRow*> fresh;
    for (const deribit::InstrumentRow& row : list->rows) {
      const InstrumentId id = universe.symbols().find(row.name);
      if (id.valid()) {
        seen.insert(id.value);
      } else if (Universe::belongs(config[m], now, row)) {
        fresh.push_back(&row);
      }
    }
    const Universe::Member& member = universe.members()[m];
    for (const auto* group : {&member.futures, &member.options}) {
      for (const InstrumentId id : *group) {
        const Instrument& known = universe.table()[id];
        if (seen.contains(id.value) || known.state == InstrumentState::settled) continue;
        const bool expired = known.expiry.unix_ns != 0 && known.expiry <= now;
        if (!expired && !trades(known.state)) continue;
        out.push_back({expired ? ListingStep::settled : ListingStep::closed, id, m, {}});
      }
    }
    for (const deribit::InstrumentRow& row : list->rows) {
      const InstrumentId id = universe.symbols().find(row.name);
      const bool ours =
          id.valid() && (std::count(member.futures.begin(), member.futures.end(), id) +
                         std::count(member.options.begin(), member.options.end(), id)) > 0;
      if (ours) compare_known(id, row, universe, picture.begun, out);
    }
    add_new(m, config[m], universe, std::move(fresh), out);
  }
  return out;
}

}  // namespace gimbal
