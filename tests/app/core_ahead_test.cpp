// What a replay's core hands to the reader of the frames, batch by batch. Room: tests.
#include <gtest/gtest.h>

#include <fstream>

#include "ops/app/core_replay.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

std::string why_not(const test::TempDir& dir) {
  JournalSegments segments;
  if (!JournalSegments::find(dir.path(), journal_stream, 0, segments)) return "no file";
  JournalOrigin origin;
  read_origin(segments, origin);
  return origin.error;
}

TEST(JournalOrigin, AStartThatCannotBeReadIsToldWithItsReason) {
  const test::TempDir text, packed;
  std::ofstream{text.file("journal-00000001-000000.gj")} << std::string(200, 'x');
  EXPECT_NE(why_not(text).find("not a segment of this stream"), std::string::npos) << why_not(text);
  std::ofstream{packed.file("journal-00000001-000000.gj.zst")} << "not packed";
  EXPECT_NE(why_not(packed).find("cannot unpack " + packed.path()), std::string::npos)
      << why_not(packed);
}

TEST(Fifo, ItemsOfTheNextBatchCountOnceTheyAreShownAndComeBehindWhatIsLeft) {
  for (const std::size_t room : {std::size_t{0}, std::size_t{2}, std::size_t{64}}) {
    Fifo<int> reader;
    int written = 0, read = 0;
    for (int batch = 0; batch < 50; ++batch) {
      Fifo<int> next;
      next.restart(room);
      for (int i = 0; i < 10; ++i) next.push(written++);
      const std::size_t left = reader.size();
      reader.adopt(next);
      EXPECT_EQ(reader.size(), left) << "nothing is shown yet";
      for (int i = 0; i < 10; ++i) {
        reader.show(1);
        // Three stay behind, more of them in every fourth batch.
        const std::size_t keep = batch % 4 == 3 ? 8 : 3;
        while (reader.size() > keep) {
          EXPECT_EQ(reader[0], read);
          EXPECT_EQ(reader[keep], read + static_cast<int>(keep));
          ++read;
          reader.pop();
        }
      }
    }
    EXPECT_EQ(read + static_cast<int>(reader.size()), written);
    while (!reader.empty()) {
      EXPECT_EQ(reader[0], read++);
      reader.pop();
    }
    reader.push(7);
    EXPECT_EQ(reader.size(), 1u);
    EXPECT_EQ(reader[0], 7);
  }
}

}  // namespace
}  // namespace gimbal
