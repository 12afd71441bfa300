// HMAC-SHA256 signatures of Deribit logins and HTTPS requests. The only OpenSSL user of this venue.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "venues/deribit/login.hpp"

namespace gimbal::deribit {

namespace {

bool hmac_hex(std::string_view secret, std::string_view message, std::span<char> out) noexcept {
  constexpr std::size_t hash_bytes = 32;
  constexpr std::string_view digits = "0123456789abcdef";
  if (out.size() < 2 * hash_bytes || secret.size() > INT32_MAX) return false;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), hash.data(),
           &length) == nullptr ||
      length != hash_bytes) {
    return false;
  }
  for (std::size_t i = 0; i < hash_bytes; ++i) {
    out[2 * i] = digits[hash[i] >> 4];
    out[2 * i + 1] = digits[hash[i] & 0xF];
  }
  return true;
}

}  // namespace

bool sign_login(std::string_view secret, std::int64_t timestamp_ms, std::string_view nonce,
                std::string_view data, std::span<char> out) noexcept {
  // A feed that connects again signs on the hot thread: no heap.
  std::array<char, login_message_max> message{};
  char* end = std::to_chars(message.data(), message.data() + message.size(), timestamp_ms).ptr;
  const auto room = static_cast<std::size_t>(message.data() + message.size() - end);
  if (nonce.size() + data.size() + 2 > room) return false;
  *end++ = '\n';
  end = std::copy(nonce.begin(), nonce.end(), end);
  *end++ = '\n';
  end = std::copy(data.begin(), data.end(), end);
  return hmac_hex(secret, {message.data(), static_cast<std::size_t>(end - message.data())}, out);
}

std::string sign_http(std::string_view client_id, std::string_view secret,
                      std::int64_t timestamp_ms, std::string_view nonce, std::string_view method,
                      std::string_view uri, std::string_view body) {
  const std::string ts = std::to_string(timestamp_ms);
  std::string message = ts;
  message.append("\n").append(nonce).append("\n").append(method).append("\n");
  message.append(uri).append("\n").append(body).append("\n");
  std::array<char, 64> signature{};
  if (!hmac_hex(secret, message, signature)) return {};
  std::string header = "deri-hmac-sha256 id=";
  header.append(client_id).append(",ts=").append(ts).append(",sig=");
  header.append(signature.data(), signature.size()).append(",nonce=").append(nonce);
  return header;
}

}  // namespace gimbal::deribit
