#include "ops/app/second_person.hpp"

#include <gtest/gtest.h>

namespace gimbal {
namespace {

const SecondPerson::Hash one_file{1};
const SecondPerson::Hash other_file{2};
constexpr RecvTime begin{1'000'000'000};

TEST(SecondPerson, OnlyAnotherUserWithTheTokenOfTheSameWorkMayGoOn) {
  SecondPerson two;
  EXPECT_FALSE(two.judge({}, one_file, 1000, begin).empty()) << "the first asks, nothing more";
  const std::string token = two.token();
  ASSERT_EQ(token.size(), 16u);
  EXPECT_FALSE(two.judge("0123456789abcdef", one_file, 1001, begin).empty());
  EXPECT_FALSE(two.judge(token, other_file, 1001, begin).empty()) << "the file was edited again";
  EXPECT_FALSE(two.judge(token, one_file, 1000, begin).empty()) << "the same person twice";
  EXPECT_TRUE(two.judge(token, one_file, 1001, begin).empty());
  EXPECT_FALSE(two.judge(token, one_file, 1001, begin).empty()) << "a token is spent";
}

TEST(SecondPerson, ATokenEndsAfterTenMinutesAndWithTheNextPlan) {
  SecondPerson two;
  (void)two.judge({}, one_file, 1000, begin);
  const std::string first = two.token();
  EXPECT_FALSE(two.judge(first, one_file, 1001, begin + SecondPerson::token_life).empty());
  (void)two.judge({}, one_file, 1000, begin);
  EXPECT_NE(two.token(), first);
  EXPECT_FALSE(two.judge(first, one_file, 1001, begin).empty());
}

}  // namespace
}  // namespace gimbal
