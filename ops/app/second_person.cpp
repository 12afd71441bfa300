#include "ops/app/second_person.hpp"

#include <sys/random.h>

namespace gimbal {

std::string random_token() {
  std::uint64_t word = 0;
  if (::getrandom(&word, sizeof word, 0) != static_cast<ssize_t>(sizeof word)) return {};
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(word >> shift) & 15];
  return text;
}

std::string SecondPerson::judge(const std::string& token, const Hash& hash, std::uint32_t uid,
                                RecvTime now) {
  if (token.empty()) {
    plan_ = Plan{random_token(), hash, uid, now};
    if (plan_->token.empty()) {
      plan_.reset();
      return "no random token to be had";
    }
    return "it loosens a limit: another user of group gimbal-arm must run gimbalctl reload "
           "--token " +
           plan_->token + " within ten minutes";
  }
  if (!plan_ || plan_->token != token || plan_->hash != hash || now - plan_->at >= token_life) {
    return "the token is not that of this file, or older than ten minutes";
  }
  if (plan_->uid == uid) {
    return "a second person must give the token: another user of group gimbal-arm";
  }
  plan_.reset();
  return {};
}

}  // namespace gimbal
