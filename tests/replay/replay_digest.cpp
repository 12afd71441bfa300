// Steps a journal and prints its command digest as one JSON line: `gimbal replay --json` without
// the rest of the program, so that a build for this test alone (no optimisation, another compiler)
// is short. Exit 0: the digests in the journal are these.
#include <cinttypes>
#include <cstdio>

#include "engine/runtime/journal_files.hpp"
#include "ops/app/core_replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "tests/support/load_journal.hpp"

namespace {

int fail(const char* path, const std::string& why) {
  std::fprintf(stderr, "replay_digest: %s: %s\n", path, why.c_str());
  return 2;
}

int print_digest(const char* path) {
  std::vector<std::vector<std::byte>> segments;
  if (const auto loaded = gimbal::test::load_journal(path, segments, 0); !loaded) {
    return fail(path, loaded.error());
  }
  gimbal::JournalOrigin origin;
  gimbal::read_origin(gimbal::spans_of(segments), origin);
  if (!origin.error.empty()) return fail(path, origin.error);
  std::string error;
  gimbal::CoreReplay core{origin, gimbal::spans_of(segments), {}, false, error};
  if (!error.empty()) return fail(path, error);
  while (core.next()) {}
  const gimbal::ReplayResult r = core.result();
  const bool same = r.verdict == gimbal::ReplayVerdict::same;
  std::printf("{\"verdict\":\"%s\",\"digest\":\"%016" PRIx64 "\",\"digests_compared\":%" PRIu64
              ",\"commands\":%" PRIu64 "}\n",
              same ? "same" : "not the same", r.digest, r.digests_compared, r.commands);
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) return print_digest(argv[1]);
  std::fputs("usage: replay_digest JOURNAL\n", stderr);
  return 2;
}
