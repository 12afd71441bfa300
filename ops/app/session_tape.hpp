// What a session leaves in the frame stream of the journal; without a tape, nothing.
// Room: ops/app (wiring). Hot.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/time.hpp"
#include "engine/runtime/frame_tape.hpp"

namespace gimbal {

class SessionTape {
 public:
  // Cold, before the first connection. `seq`: the sequencer's, when it runs on the session's own
  // thread; else null.
  void attach(FrameTape* tape, std::uint16_t slot, const Seq* seq) noexcept {
    tape_ = tape;
    slot_ = slot;
    seq_ = seq;
  }
  // A frame that does not fit is counted by the tape; the cold side judges that.
  void put(FrameKind kind, RecvTime at, std::string_view text = {},
           std::uint32_t detail = 0) noexcept {
    if (tape_ == nullptr) return;
    const FrameRecord record{at.mono_ns, seq_ != nullptr ? seq_->value : 0, slot_, kind, 0, detail};
    (void)tape_->put(record, text);
  }

  void look_over() const noexcept {
    if (tape_ != nullptr) tape_->look_over();
  }

 private:
  FrameTape* tape_{nullptr};
  const Seq* seq_{nullptr};
  std::uint16_t slot_{0};
};

}  // namespace gimbal
