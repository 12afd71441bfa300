#include "ops/app/hash.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace gimbal {
namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 out{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr) != 1)
    out.fill(0);
  return out;
}

bool sha256_file(const std::string& path, Sha256& out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const Context context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  bool good = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::array<char, 65536> chunk{};
  while (good) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n == 0) break;
    good = n > 0 && EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(n)) == 1;
  }
  ::close(fd);
  unsigned int size = 0;
  return good && EVP_DigestFinal_ex(context.get(), out.data(), &size) == 1;
}

const Sha256& build_hash() {
  static const Sha256 hash = [] {
    Sha256 h{};
    if (!sha256_file("/proc/self/exe", h)) h.fill(0);
    return h;
  }();
  return hash;
}

std::string to_hex(const Sha256& hash) {
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  for (const auto byte : hash) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::uint64_t short_hash(const Sha256& hash) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8) | hash[i];
  return value;
}

}  // namespace gimbal
