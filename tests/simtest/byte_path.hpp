// The bytes below the texts (fault F27): what the venue says in one text comes to the product's
// reader in fragments, between control frames, cut at any byte, several frames in one read; what
// the bot says goes through the product's frame writer. The same texts must come out, in their
// order.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/wire/websocket.hpp"
#include "tests/simtest/plants.hpp"
#include "tests/simtest/random.hpp"

namespace gimbal::simtest {

class BytePath {
 public:
  BytePath(std::uint64_t seed, std::uint64_t lane, Plant plant);

  // A new connection.
  void reset();
  // Texts that arrive together. Each becomes what the reader made of it.
  void to_bot(std::span<std::string* const> texts);
  // What the venue reads of a text of the bot.
  [[nodiscard]] std::string to_venue(std::string_view text);
  // Empty while everything came out as it went in.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

 private:
  struct Sent {
    WsEvent event{WsEvent::text};
    std::string payload;         // of a control frame
    std::string* text{nullptr};  // otherwise
  };
  void put_frame(std::uint8_t first, std::string_view payload);
  void put_control();
  void put_text(std::string& text);
  void hold_back();
  void refuse(const std::string& text);
  [[nodiscard]] std::size_t chunk_max();
  void read();
  void take();
  void came(WsEvent event, const WsMessage& message);
  void fail(std::string why);

  Random random_;
  Plant plant_;
  WsReader reader_;
  MaskKeys keys_;
  std::string bytes_;      // on their way
  std::string held_;       // the end of a control frame, which comes with the next texts
  std::deque<Sent> sent_;  // and not read yet
  std::vector<char> storage_;
  std::uint64_t chunks_{0};
  std::string trouble_;
};

}  // namespace gimbal::simtest
