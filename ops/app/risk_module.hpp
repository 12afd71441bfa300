// One risk module as the bot's cold thread serves and judges it: its two shared files
// (ops/module/gimbal_module.h), the stream of events to it, its envelopes back. Room: ops/app.
//
// Hostile input: the envelope is read with pread, never mapped, so that a module that cuts the file
// short cannot fault the bot; every byte is checked before the core hears of it. Nothing waits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/risk/envelope.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/outcome.hpp"
#include "ops/module/gimbal_module.h"

namespace gimbal {

// What an EnvelopeFault is, for people.
[[nodiscard]] const char* text_of(EnvelopeFault fault) noexcept;

class RiskModule {
 public:
  struct Setup {
    std::string name;
    std::uint8_t number{0};  // its place among the [[module]] tables
    std::string directory;
    Nanos ttl{};
    std::uint32_t epoch{0};
  };
  static constexpr Nanos interval_min = milliseconds(10);  // between two envelopes that are taken

  RiskModule() = default;
  ~RiskModule();
  RiskModule(const RiskModule&) = delete;
  RiskModule& operator=(const RiskModule&) = delete;

  // Makes or adopts the files; a module that runs already goes on with this boot.
  Outcome open(Setup setup);
  // The next instrument, in the order of their ids.
  void list(std::string_view symbol, const Instrument& instrument) noexcept;
  [[nodiscard]] std::size_t listed() const noexcept { return listed_; }
  // The next event of the stream.
  void put(const Event& event) noexcept;

  // The body of a side block that the core should have, or nothing. Until told() says that it went
  // out, the next look gives it again, or what is newest then.
  [[nodiscard]] std::span<const std::byte> look(RecvTime now);
  void told() noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return setup_.name; }
  [[nodiscard]] std::uint64_t envelopes() const noexcept { return envelopes_; }
  [[nodiscard]] std::uint64_t invalid() const noexcept { return invalid_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }  // events, by its own count
  // What was wrong with its newest envelope; empty: nothing.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

 private:
  Outcome open_envelope(const std::string& path);
  void begin_events() noexcept;
  [[nodiscard]] bool held() const noexcept;
  [[nodiscard]] bool read(void* to, std::size_t bytes, std::size_t offset) const noexcept;
  [[nodiscard]] bool fresh(RecvTime now);
  [[nodiscard]] bool sized() const noexcept;
  [[nodiscard]] std::string judge(RecvTime now);
  void stamp(RecvTime now) noexcept;
  [[nodiscard]] Nanos unseen(std::uint64_t as_of, RecvTime now) const noexcept;
  std::span<const std::byte> say(ModuleSight sight, std::size_t rows);

  Setup setup_;
  MappedFile events_;
  gimbal_events_head* head_{nullptr};
  gimbal_name* names_{nullptr};
  gimbal_event* ring_{nullptr};
  std::uint64_t written_{0};
  std::uint64_t newest_{0};  // sequence number
  std::size_t listed_{0};
  struct Stamp {
    std::uint64_t newest{0};
    RecvTime at{};
  };
  static constexpr std::size_t stamps_max = 64;  // one in ttl / 32: twice the time to live
  std::array<Stamp, stamps_max> stamps_{};
  std::uint64_t stamped_{0};

  int envelope_fd_{-1};
  gimbal_envelope page_{};
  std::uint64_t seen_{0};  // the change that was read last
  RecvTime due_{};
  RecvTime held_since_{};  // its process is there; zero: it is not
  RecvTime made_{};        // of the newest envelope that the core has
  RecvTime made_next_{};   // of the one in block_
  std::size_t rows_next_{0};
  bool untold_{false};  // a live envelope in block_ did not go out yet
  ModuleSight told_{ModuleSight::absent};
  ModuleSight saying_{ModuleSight::absent};
  std::array<std::byte, sizeof(EnvelopeHead) + envelope_rows_max * sizeof(EnvelopeRow)> block_{};
  std::uint64_t envelopes_{0};
  std::uint64_t invalid_{0};
  std::uint64_t lost_{0};
  std::string trouble_;
};

}  // namespace gimbal
