// Recorded Deribit frames as a second market beside the generated one: notifications are merged on
// their own time stamps, moved to the exchange's clock, and offered for re-publication to the
// subscribers of their channels. Instruments are made up from the names in the recordings.
//
// What the recordings lack is quoted by the exchange from what they have: `coin_price` steers the
// perpetual. The account's positions in recorded options are kept here, marked by recorded tickers.
// Cold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/time.hpp"
#include "venues/sim/records.hpp"

namespace gimbal::sim {

// One recorded notification. `data` is the JSON text of params.data as recorded.
struct ReplayFrame {
  ExchTime at{};  // on the exchange's clock
  std::string channel;
  std::string data;
  std::string instrument;  // empty when the data name none
  bool book{false};
  bool snapshot{false};
};

struct ReplayOption {
  std::string name;
  std::string currency;  // "BTC"
  bool option{false};
  bool call{false};
  double strike{0};
  ExchTime expiry{};   // zero: perpetual
  std::string ticker;  // data text of the last ticker frame, empty before the first
  double mark{0};
  double delta{0};  // of one unit, the venue's
  double gamma{0};
  double vega{0};
  double theta{0};
  double underlying{0};
  double index{0};
  std::map<double, double> bids;  // price to amount, as far as the book frames went
  std::map<double, double> asks;
  std::uint64_t change_id{0};
};

class ReplayMarket {
 public:
  // Reads JSONL files; frames of every file are merged by their time. False with `error` naming the
  // file and line when a file cannot be read or no file holds a usable notification. Lines that are
  // not notifications (replies, requests) are counted and left out.
  [[nodiscard]] bool load(const std::vector<std::filesystem::path>& files, std::string& error);

  // Recorded time of the first and the last frame.
  [[nodiscard]] ExchTime first() const noexcept { return first_; }
  [[nodiscard]] ExchTime last() const noexcept { return last_; }
  [[nodiscard]] std::size_t frames() const noexcept { return frames_.size(); }
  [[nodiscard]] std::size_t skipped() const noexcept { return skipped_; }

  // The next frame due at or before `now`, already applied to the instrument's state; nullptr when
  // there is none. At the end it starts over (books by a fresh snapshot) when `loop` is set.
  [[nodiscard]] const ReplayFrame* next(ExchTime now);
  void loop(bool on) noexcept { loop_ = on; }
  [[nodiscard]] std::uint64_t rounds() const noexcept { return rounds_; }

  [[nodiscard]] const std::vector<ReplayOption>& instruments() const noexcept { return list_; }
  [[nodiscard]] const ReplayOption* find(std::string_view name) const noexcept;

  // USD price of the coin from the last recorded underlying, forward or index; nothing before that.
  [[nodiscard]] std::optional<double> coin_price(std::string_view coin) const;

  // Holds `size` (signed) of a recorded instrument for an account. False: unknown name.
  [[nodiscard]] bool endow(AccountId account, std::string_view name, double size);
  struct Holding {
    const ReplayOption* option{nullptr};
    double size{0};
    double average{0};
  };
  [[nodiscard]] std::vector<Holding> holdings(AccountId account) const;

 private:
  struct Held {
    AccountId account{};
    std::size_t instrument{0};
    double size{0};
    double average{0};
  };
  std::size_t list(std::string_view name);
  void apply(const ReplayFrame& frame);

  std::vector<ReplayFrame> frames_;
  std::vector<ReplayOption> list_;
  std::vector<Held> held_;
  std::map<std::string, double, std::less<>> coins_;
  std::size_t position_{0};
  Nanos shift_{};  // of this round
  std::uint64_t rounds_{0};
  std::size_t skipped_{0};
  ExchTime first_{};
  ExchTime last_{};
  bool loop_{true};
};

}  // namespace gimbal::sim
