#include "engine/runtime/crc32c.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace gimbal {
namespace {

using Function = std::uint32_t (*)(const void*, std::size_t, std::uint32_t) noexcept;
class Crc32c : public testing::TestWithParam<Function> {};

TEST_P(Crc32c, GivesThePublishedCheckValues) {
  const std::string_view digits = "123456789";
  EXPECT_EQ(GetParam()(digits.data(), digits.size(), 0), 0xE3069283u);
  const std::vector<unsigned char> zeros(32, 0), ones(32, 0xFF);
  EXPECT_EQ(GetParam()(zeros.data(), zeros.size(), 0), 0x8A9136AAu);
  EXPECT_EQ(GetParam()(ones.data(), ones.size(), 0), 0x62A8AB43u);
  EXPECT_EQ(GetParam()("", 0, 0), 0u);
}

TEST_P(Crc32c, ContinuesFromTheFirstPartsResult) {
  const std::string_view text = "a journal record in two parts";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t first = GetParam()(text.data(), cut, 0);
    EXPECT_EQ(GetParam()(text.data() + cut, text.size() - cut, first),
              GetParam()(text.data(), text.size(), 0));
  }
}

INSTANTIATE_TEST_SUITE_P(Twins, Crc32c, testing::Values(&crc32c, &crc32c_table));

TEST(Crc32cTwins, AgreeOnRandomBytesOfEveryLengthAndAlignment) {
  std::mt19937 random{7};
  std::vector<unsigned char> bytes(1200);  // over every sum of the sizes that go in parts
  for (auto& b : bytes) b = static_cast<unsigned char>(random());
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t n = 0; n + from <= bytes.size(); ++n) {
      ASSERT_EQ(crc32c(bytes.data() + from, n, 5), crc32c_table(bytes.data() + from, n, 5));
    }
  }
}

}  // namespace
}  // namespace gimbal
