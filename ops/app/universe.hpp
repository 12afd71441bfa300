// What the bot knows of the market it trades: instruments, their venue names, and which of them
// belong to which configured underlying. Built once at start from the venue's own list; written to
// the journal as side blocks, so that a replay builds the same tables without the venue.
// Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/core/engine_config.hpp"
#include "engine/core/instrument.hpp"
#include "feeds/deribit/instruments.hpp"
#include "feeds/deribit/symbols.hpp"
#include "ops/app/config.hpp"
#include "strategies/registry.hpp"

namespace gimbal {

class Universe {
 public:
  struct Member {  // one [[underlying]] of the config
    UnderlyingId id{};
    InstrumentId hedge{};
    std::vector<InstrumentId> futures;  // the hedge included
    std::vector<InstrumentId> options;  // nearest expiry first
  };

  Universe();

  // Adds what `config` asks for out of the venue's list. `now` bounds the expiries. Empty text on
  // success; otherwise what is missing (the hedge instrument, a full table).
  [[nodiscard]] std::string add(const UnderlyingConfig& config, VenueId venue, ExchTime now,
                                const deribit::InstrumentList& list);
  // Whether a row of the venue's list is one that `config` asks for; `now` bounds the expiries.
  [[nodiscard]] static bool belongs(const UnderlyingConfig& config, ExchTime now,
                                    const deribit::InstrumentRow& row);
  // While running: one more instrument of a member (its index is that of its [[underlying]]). The
  // invalid id, with the reason in `why`, when a table is full.
  InstrumentId list(std::size_t member, VenueId venue, const deribit::InstrumentRow& row,
                    std::string& why);
  // The tables from instrument `first` on, as bytes for side blocks of at most `block_max` bytes
  // each, and back.
  [[nodiscard]] std::vector<std::vector<std::byte>> dump(std::size_t block_max,
                                                         std::size_t first = 0) const;
  // Blocks in the order of dump(). False with `error` when a block is not what dump() writes.
  [[nodiscard]] bool restore(std::span<const std::byte> block, std::string& error);
  // Of such a block, and of no other: what its instruments are called, by their numbers.
  static void read_names(std::span<const std::byte> block, std::vector<std::string>& names);
  // After the last restored block: finds the members again. Empty text on success.
  [[nodiscard]] std::string rebind(const Config& config);

  [[nodiscard]] InstrumentTable& table() noexcept { return table_; }
  [[nodiscard]] const InstrumentTable& table() const noexcept { return table_; }
  [[nodiscard]] deribit::SymbolTable& symbols() noexcept { return symbols_; }
  [[nodiscard]] const deribit::SymbolTable& symbols() const noexcept { return symbols_; }
  [[nodiscard]] deribit::UnderlyingNames& underlyings() noexcept { return underlyings_; }
  [[nodiscard]] const deribit::UnderlyingNames& underlyings() const noexcept {
    return underlyings_;
  }
  [[nodiscard]] const std::vector<Member>& members() const noexcept { return members_; }

 private:
  InstrumentTable table_;
  deribit::SymbolTable symbols_;
  deribit::UnderlyingNames underlyings_;
  std::vector<Member> members_;
};

// The engine's construction input from config and universe; the same function serves the running
// bot and a replay. Empty text on success, else the key that does not fit.
[[nodiscard]] std::string make_engine_setup(const Config& config, const Universe& universe,
                                            EngineSetup& setup, StrategySet& strategies);

}  // namespace gimbal
