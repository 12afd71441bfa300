// One public frame as plain data: parsed in place and checked, before any state is touched. Room:
// feeds (hot). The JSON parser stays behind `State`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "feeds/deribit/channels.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"

namespace gimbal::deribit {

enum class FrameShape : std::uint8_t {
  malformed,
  subscription,
  heartbeat,
  test_request,
  reply,
  error,
  request,
  bare
};

struct LevelRow {
  Price price{};
  Qty amount{};
  Side side{Side::buy};
};
struct TradeRow {
  Trade trade{};
  InstrumentId instrument{};
  ExchTime time{};
};
struct MarkRow {
  Price mark{absent_nano};
  std::int64_t iv_nano{absent_nano};
  InstrumentId instrument{};
  ExchTime time{};
};

enum class BookType : std::uint8_t { unsaid, snapshot, change };
enum class ListedState : std::uint8_t { other, created, started, settled, closed };

// Which members are filled depends on `shape` and on the channel's kind. Views point into the
// frame.
struct PublicFrame {
  FrameShape shape{FrameShape::malformed};
  std::string_view reason{};        // malformed: why
  std::string_view channel_name{};  // also of a malformed frame, when it was reached
  Channel* channel{nullptr};
  Ignored ignored{Ignored::none};  // subscription: why its data were not read
  ExchTime time{};
  // replies
  std::int64_t id{-1};
  std::int32_t error_code{0};
  std::vector<std::string_view> names;  // result, when it is a list of texts
  // books
  BookType type{BookType::unsaid};
  bool has_prev{false};
  std::uint64_t change_id{0};
  std::uint64_t prev_change_id{0};
  std::vector<LevelRow> levels;
  // others
  Ticker ticker{};
  std::vector<TradeRow> trades;
  std::vector<MarkRow> marks;
  std::size_t unknown_rows{0};  // rows of instruments that have no id
  Price index{absent_nano};
  std::string_view listed_name{};
  ListedState listed{ListedState::other};
  bool locked{false};
  bool lock_said{false};
};

class FrameReader {
 public:
  static constexpr std::size_t levels_max = 16384;
  static constexpr std::size_t rows_max = 8192;

  struct Options {
    std::size_t frame_max{std::size_t{1} << 20};
    bool strict{false};
    bool usual_form{true};  // try read_usual_form() before the parser, unless strict
  };
  FrameReader(const Options& options, const SymbolTable& symbols);
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // Looks a channel up, or adds it (learning); nullptr: not subscribed.
  class Channels {
   public:
    virtual Channel* channel(std::string_view name) noexcept = 0;
    virtual InstrumentId instrument(std::string_view name) noexcept = 0;

   protected:
    ~Channels() = default;
  };

  // The result is valid until the next call and while the frame's bytes stay.
  [[nodiscard]] const PublicFrame& read(const Frame& frame, Channels& channels) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gimbal::deribit
