// The messages of a load profile for what the bot has subscribed: changes of the books it was
// given, each chain of change ids going on from its snapshot; its own tickers and the hedge's
// trades with new times. Templates are the exchange's own publications, taken on their way. Bench
// only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/profile.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {

class PeakFlow {
 public:
  // Listens to the venue's publications; construct before the bot connects, keep as long as it.
  explicit PeakFlow(Venue& venue);

  // Encrypts the next message of a kind on its connection, which is to be sent; null when the bot
  // has not subscribed any of that kind.
  SpinConnection* seal(Message kind, Random& random);
  [[nodiscard]] bool ready() const {
    return !books_.empty() && !tickers_.empty() && quotes_ != nullptr;
  }
  [[nodiscard]] std::size_t books() const { return books_.size(); }
  // Connections that the messages go out on.
  [[nodiscard]] const std::vector<SpinConnection*>& connections() const { return connections_; }
  [[nodiscard]] std::uint64_t connections_lost() const { return lost_; }

 private:
  struct OptionBook {
    SpinConnection* connection{nullptr};
    std::string channel;
    std::string head;  // up to the time
    std::string tail;  // from the instrument's name to the amount of the level that changes
    std::string end;   // behind that amount
    std::uint64_t change_id{0};
    bool more{false};
  };
  struct Ticker {
    SpinConnection* connection{nullptr};
    std::string channel;
    std::string text;
    std::size_t time_at{0};
  };
  void learn(SpinConnection& connection, std::string_view text);
  void learn_book(SpinConnection& connection, std::string_view channel, std::string_view text);
  void learn_ticker(SpinConnection& connection, std::string_view channel, std::string_view text);
  void forget(const SpinConnection& connection);
  void know(SpinConnection& connection);
  std::string_view book_change(OptionBook& book);
  std::string_view ticker(Ticker& ticker);
  std::string_view trade();

  Venue& venue_;
  std::vector<OptionBook> books_;
  std::vector<Ticker> tickers_;
  std::vector<SpinConnection*> connections_;
  Ticker hedge_ticker_;
  SpinConnection* quotes_{nullptr};
  std::uint64_t trades_{0};
  std::uint64_t lost_{0};
  std::string text_;
};

}  // namespace gimbal::bench
