#include "engine/wire/record_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>

namespace gimbal {
namespace {

// OpenSSL's parameters take pointers to what is not const.
template <class T>
void* unconst(const T* p) noexcept {
  return const_cast<void*>(static_cast<const void*>(p));
}

const unsigned char* as_bytes(const char* p) noexcept {
  return reinterpret_cast<const unsigned char*>(p);
}
unsigned char* as_bytes(char* p) noexcept { return reinterpret_cast<unsigned char*>(p); }

}  // namespace

TrafficSecret::~TrafficSecret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

bool TrafficSecret::assign(std::string_view hex) noexcept {
  size = 0;
  if (hex.size() % 2 != 0 || hex.size() / 2 > bytes.size()) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = OPENSSL_hexchar2int(static_cast<unsigned char>(hex[i]));
    const int low = OPENSSL_hexchar2int(static_cast<unsigned char>(hex[i + 1]));
    if (high < 0 || low < 0) return false;
    bytes[i / 2] = static_cast<unsigned char>(high << 4 | low);
  }
  size = hex.size() / 2;
  return size > 0;
}

struct RecordKeys::Suite {
  std::string_view name;
  const char* cipher;
  const char* digest;
  std::size_t key_bytes;
  std::size_t secret_bytes;
};

const std::array<RecordKeys::Suite, 3> RecordKeys::suites{{
    {"TLS_AES_128_GCM_SHA256", "AES-128-GCM", "SHA256", 16, 32},
    {"TLS_AES_256_GCM_SHA384", "AES-256-GCM", "SHA384", 32, 48},
    {"TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", "SHA256", 32, 32},
}};

std::unique_ptr<RecordKeys> RecordKeys::make(std::string_view suite, const TrafficSecret& secret,
                                             Direction direction) {
  const auto found =
      std::find_if(suites.begin(), suites.end(), [&](const Suite& s) { return s.name == suite; });
  if (found == suites.end() || secret.size != found->secret_bytes) return nullptr;
  std::unique_ptr<RecordKeys> made{new RecordKeys(*found, direction)};
  made->secret_.bytes = secret.bytes;
  made->secret_.size = secret.size;
  made->context_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, found->cipher, nullptr);
  const bool ready = made->context_ != nullptr && cipher != nullptr &&
                     EVP_CipherInit_ex2(made->context_, cipher, nullptr, nullptr,
                                        direction == Direction::seals ? 1 : 0, nullptr) == 1 &&
                     made->set_keys();
  EVP_CIPHER_free(cipher);  // the context keeps its own reference
  return ready ? std::move(made) : nullptr;
}

RecordKeys::~RecordKeys() {
  EVP_CIPHER_CTX_free(context_);
  OPENSSL_cleanse(iv_.data(), iv_.size());
  OPENSSL_cleanse(nonce_.data(), nonce_.size());
}

// HKDF-Expand-Label of section 7.1, without a context.
bool RecordKeys::derive(std::string_view label, std::span<unsigned char> out) const noexcept {
  constexpr std::string_view prefix = "tls13 ";
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const std::array<OSSL_PARAM, 6> parameters{
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       static_cast<char*>(unconst(suite_.digest)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, unconst(secret_.bytes.data()),
                                        secret_.size),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, unconst(prefix.data()),
                                        prefix.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, unconst(label.data()), label.size()),
      OSSL_PARAM_construct_end()};
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, nullptr);
  EVP_KDF_CTX* context = kdf != nullptr ? EVP_KDF_CTX_new(kdf) : nullptr;
  const bool derived =
      context != nullptr && EVP_KDF_derive(context, out.data(), out.size(), parameters.data()) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return derived;
}

bool RecordKeys::set_keys() noexcept {
  std::array<unsigned char, 32> key{};
  const bool set = derive("key", std::span{key}.first(suite_.key_bytes)) && derive("iv", iv_) &&
                   EVP_CipherInit_ex2(context_, nullptr, key.data(), iv_.data(), -1, nullptr) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  sequence_ = 0;
  return set;
}

bool RecordKeys::renew() noexcept {
  TrafficSecret next;
  if (!derive("traffic upd", std::span{next.bytes}.first(secret_.size))) return false;
  secret_.bytes = next.bytes;
  return set_keys();
}

const unsigned char* RecordKeys::nonce() noexcept {
  std::uint64_t tail = 0;
  std::memcpy(&tail, iv_.data() + 4, sizeof tail);
  tail ^= __builtin_bswap64(sequence_++);
  std::memcpy(nonce_.data(), iv_.data(), 4);
  std::memcpy(nonce_.data() + 4, &tail, sizeof tail);
  return nonce_.data();
}

bool RecordKeys::seal(std::span<const char> content, record::Type type, char* out) noexcept {
  const std::size_t inner = content.size() + 1;
  const std::size_t body = inner + record::tag_bytes;
  unsigned char* at = as_bytes(out);
  at[0] = record::application_data;
  at[1] = 3;
  at[2] = 3;
  at[3] = static_cast<unsigned char>(body >> 8);
  at[4] = static_cast<unsigned char>(body);
  unsigned char* text = at + record::head_bytes;
  if (!content.empty()) std::memcpy(text, content.data(), content.size());
  text[content.size()] = type;
  int size = 0;
  return EVP_EncryptInit_ex2(context_, nullptr, nullptr, nonce(), nullptr) == 1 &&
         EVP_EncryptUpdate(context_, nullptr, &size, at, record::head_bytes) == 1 &&
         EVP_EncryptUpdate(context_, text, &size, text, static_cast<int>(inner)) == 1 &&
         EVP_EncryptFinal_ex(context_, text + inner, &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, record::tag_bytes, text + inner) == 1;
}

void RecordKeys::look_over() noexcept {
  if (direction_ != Direction::seals) return;
  constexpr std::array<unsigned char, record::head_bytes> head{record::application_data, 3, 3, 0,
                                                               0};
  int size = 0;
  (void)EVP_EncryptInit_ex2(context_, nullptr, nullptr, nonce(), nullptr);
  (void)EVP_EncryptUpdate(context_, nullptr, &size, head.data(), record::head_bytes);
  --sequence_;
}

bool RecordKeys::open(const char* record, std::size_t body, char* out) noexcept {
  const std::size_t inner = body - record::tag_bytes;
  const unsigned char* at = as_bytes(record);
  const unsigned char* text = at + record::head_bytes;
  int size = 0;
  return EVP_DecryptInit_ex2(context_, nullptr, nullptr, nonce(), nullptr) == 1 &&
         EVP_DecryptUpdate(context_, nullptr, &size, at, record::head_bytes) == 1 &&
         EVP_DecryptUpdate(context_, as_bytes(out), &size, text, static_cast<int>(inner)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, record::tag_bytes,
                             unconst(text + inner)) == 1 &&
         EVP_DecryptFinal_ex(context_, as_bytes(out) + inner, &size) == 1;
}

}  // namespace gimbal
