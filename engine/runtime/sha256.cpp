#include "engine/runtime/sha256.hpp"

#include <openssl/evp.h>

#include "engine/core/assert.hpp"

namespace gimbal {

struct RunningSha256::Context {
  EVP_MD_CTX* evp{EVP_MD_CTX_new()};
};

RunningSha256::RunningSha256() : context_{new Context} {
  GIMBAL_ASSERT(context_->evp != nullptr);
  restart();
}

RunningSha256::~RunningSha256() {
  EVP_MD_CTX_free(context_->evp);
  delete context_;
}

void RunningSha256::restart() noexcept {
  GIMBAL_ASSERT(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}

void RunningSha256::add(const void* data, std::size_t bytes) noexcept {
  GIMBAL_ASSERT(EVP_DigestUpdate(context_->evp, data, bytes) == 1);
}

Sha256Digest RunningSha256::finish() noexcept {
  Sha256Digest digest{};
  unsigned int length = 0;
  GIMBAL_ASSERT(EVP_DigestFinal_ex(context_->evp, digest.data(), &length) == 1);
  restart();
  return digest;
}

}  // namespace gimbal
