// What a replay's core hands to the reader of the frames, batch by batch. Room: tests.
#include <gtest/gtest.h>

#include "ops/app/core_replay.hpp"

namespace gimbal {
namespace {

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
