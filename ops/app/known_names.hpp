// Which names of instruments a session reads its texts with, and since when: the cold side adds
// them while the session runs, and a replay must learn each between the same two frames. Room:
// ops/app (wiring). Hot.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"
#include "feeds/deribit/symbols.hpp"
#include "ops/app/session_tape.hpp"

namespace gimbal {

class KnownNames {
 public:
  // Cold, before the first connection, behind the tape's attach(). Both must outlive this.
  void follow(const deribit::SymbolTable& symbols, SessionTape& tape, RecvTime now) noexcept {
    symbols_ = &symbols;
    tape_ = &tape;
    end_ = symbols.end();
    tape.put(FrameKind::named, now, {}, static_cast<std::uint32_t>(end_));
  }
  // What was added since is known from here on, and on the tape. False: nothing was, or no table is
  // followed.
  bool learn(RecvTime now) noexcept {
    if (symbols_ == nullptr || symbols_->end() == end_) return false;
    for (const std::size_t fresh = symbols_->end(); end_ < fresh; ++end_) {
      const InstrumentId id{static_cast<std::uint16_t>(end_)};
      const std::string_view name = symbols_->name(id);
      if (!name.empty()) tape_->put(FrameKind::named, now, name, id.value);
    }
    return true;
  }
  // Ids below this are known.
  [[nodiscard]] std::size_t end() const noexcept { return end_; }

 private:
  const deribit::SymbolTable* symbols_{nullptr};
  SessionTape* tape_{nullptr};
  std::size_t end_{0};
};

}  // namespace gimbal
