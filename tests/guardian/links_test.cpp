// K-04: nothing in the guardian can place or change an order. Read from the program's own symbols.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace gimbal::guardian {
namespace {

std::string symbols_of(const std::string& program) {
  std::string out;
  std::FILE* pipe = ::popen(("nm -C " + program + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> chunk{};
  for (std::size_t n = 0; (n = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
    out.append(chunk.data(), n);
  }
  (void)::pclose(pipe);
  return out;
}

// What encodes, approves or sends an order in the bot.
constexpr const char* order_symbols[] = {"DeribitGateway", "PlaceOrder", "ReplaceOrder", "RiskGate",
                                         "OrderSession"};

TEST(GuardianLinks, K04HoldsNoSymbolThatPlacesOrChangesAnOrder) {
  const std::string guardian = symbols_of(GIMBAL_GUARDIAN);
  const std::string bot = symbols_of(GIMBAL);
  ASSERT_NE(guardian.find("encode_cancel_all"), std::string::npos) << "no symbols to look at";
  for (const char* symbol : order_symbols) {
    EXPECT_EQ(guardian.find(symbol), std::string::npos) << symbol;
    EXPECT_NE(bot.find(symbol), std::string::npos) << symbol << " is no symbol of the bot any more";
  }
}

// The methods themselves are texts in the program.
TEST(GuardianLinks, K04HoldsNoTextOfAnOrderMethod) {
  const auto holds = [](const std::string& program, const char* text) {
    return std::system(("grep -q -a -F '" + std::string{text} + "' " + program).c_str()) == 0;
  };
  EXPECT_TRUE(holds(GIMBAL_GUARDIAN, "private/get_open_orders"));
  for (const char* method : {"private/buy", "private/sell", "private/edit", "private/mass_quote"}) {
    EXPECT_FALSE(holds(GIMBAL_GUARDIAN, method)) << method;
  }
  EXPECT_TRUE(holds(GIMBAL, "private/buy") || holds(GIMBAL, "private/"));
}

}  // namespace
}  // namespace gimbal::guardian
