// Two people for one step that loosens: the first plans it and gets a token, another user gives it
// back. Room: ops/app. Cold.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/core/time.hpp"

namespace gimbal {

class SecondPerson {
 public:
  using Hash = std::array<std::uint8_t, 32>;
  static constexpr Nanos token_life = seconds(600);

  // Whether `uid` may do the work that `hash` stands for now. Empty: yes, and the token is spent.
  // Otherwise why not; without a token the request becomes the plan, with a new token.
  [[nodiscard]] std::string judge(const std::string& token, const Hash& hash, std::uint32_t uid,
                                  RecvTime now);
  // Of the plan that waits; empty when there is none.
  [[nodiscard]] std::string token() const { return plan_ ? plan_->token : std::string{}; }

 private:
  struct Plan {
    std::string token;
    Hash hash{};
    std::uint32_t uid{0};
    RecvTime at{};
  };
  std::optional<Plan> plan_;
};

// 16 random hex digits; empty when the kernel gives none.
[[nodiscard]] std::string random_token();

}  // namespace gimbal
