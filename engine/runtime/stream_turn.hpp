// One turn of the cold thread at both streams of the journal. Cold, one thread.
#pragma once

#include "engine/core/time.hpp"
#include "engine/runtime/frame_tape.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {

// Writes what waits of the events, then what waits of the frames (`frames` may be null), for about
// `most` each: a turn goes over it by the writes and the sync that it is in, not by what comes
// meanwhile. Nothing is dropped: what is left waits in ring and tapes for the next turn. While
// events wait no frame is written that was put behind one of them, so that a death leaves frames
// without their events no more than without a backlog; where the core has a thread of its own, a
// frame knows no event, and none is held back. A journal that is not kept any more holds none back
// either.
void write_turn(JournalWriter& journal, FrameRecorder* frames, Nanos most);

}  // namespace gimbal
