// Room: engine/wire, private to the room, cold. OpenSSL's error codes in words.
#pragma once

#include <openssl/err.h>

#include <string>

namespace gimbal {

// `code` as ERR_peek_last_error() gives it.
inline std::string openssl_reason(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace gimbal
