#include "ops/app/secret.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <utility>

namespace gimbal {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_{fd} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::string mode_text(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777u);
  return text.data();
}

Outcome refuse(const std::string& path, const std::string& why) {
  return Outcome::failure("credential " + path + " is refused: " + why);
}

struct Place {
  std::string directory;
  std::string file;
  bool from_service{false};  // in $CREDENTIALS_DIRECTORY
};

Outcome locate(const std::string& where, Place& out) {
  const auto slash = where.rfind('/');
  if (slash == std::string::npos) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || directory[0] != '/') {
      return refuse(
          where,
          "it names a systemd credential, but CREDENTIALS_DIRECTORY is not set. Give a path with a "
          "slash (./" +
              where + "), or LoadCredential= in the unit");
    }
    out = {directory, where, true};
  } else {
    out = {slash == 0 ? "/" : where.substr(0, slash), where.substr(slash + 1), false};
  }
  if (out.file.empty() || out.file == "." || out.file == "..")
    return refuse(where, "it does not name a file");
  return {};
}

Outcome check_directory(const Place& place, const struct stat& st) {
  if (st.st_uid != ::geteuid() && st.st_uid != 0) {
    return refuse(
        place.directory + "/" + place.file,
        "its directory belongs to user " + std::to_string(st.st_uid) + ", who could replace it");
  }
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse(place.directory + "/" + place.file,
                  "its directory has mode " + mode_text(st.st_mode) +
                      ", others could replace it; run: chmod go-w " + place.directory);
  }
  return {};
}

Outcome check_file(const Place& place, const struct stat& st) {
  const std::string path = place.directory + "/" + place.file;
  if (!S_ISREG(st.st_mode)) return refuse(path, "it is not a regular file");
  if (st.st_uid != ::geteuid() && st.st_uid != 0) {
    return refuse(path, "it belongs to user " + std::to_string(st.st_uid) +
                            "; it must belong to this user (" + std::to_string(::geteuid()) +
                            ") or root");
  }
  const mode_t mode = st.st_mode & 07777u;
  // systemd gives the service user access by ACL; the group bits then show the ACL mask.
  const bool service_acl = place.from_service && mode == 0440 && st.st_uid == 0;
  if (mode != 0400 && mode != 0600 && !service_acl) {
    return refuse(
        path, "it has mode " + mode_text(mode) + ", must be 0400 or 0600; run: chmod 0600 " + path);
  }
  if (st.st_size > static_cast<off_t>(credential_bytes_max)) {
    return refuse(path, "it has " + std::to_string(st.st_size) + " bytes, at most " +
                            std::to_string(credential_bytes_max) + " are read");
  }
  return {};
}

Outcome read_all(int fd, const std::string& path, Secret& out) {
  std::size_t size = 0;
  while (size < out.capacity()) {
    const ssize_t n = ::read(fd, out.data() + size, out.capacity() - size);
    if (n < 0) return Outcome::system("read credential", path);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > credential_bytes_max) return refuse(path, "it grew while being read");
  out.resize(size);
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

struct Wanted {
  std::string_view key;
  Secret* into{nullptr};
};

// One key=value a line, each wanted key once. Messages name line numbers only.
Outcome parse(std::string_view rest, const std::string& path, std::span<const Wanted> wanted) {
  for (int line_number = 1; !rest.empty(); ++line_number) {
    const auto end = rest.find('\n');
    const auto line = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::string at = "line " + std::to_string(line_number) + " ";
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return refuse(path, at + "is not key=value");
    const auto key = trimmed(line.substr(0, equals));
    const auto value = trimmed(line.substr(equals + 1));
    const auto target =
        std::find_if(wanted.begin(), wanted.end(), [key](const Wanted& w) { return w.key == key; });
    if (target == wanted.end()) {
      std::string known;
      for (const Wanted& w : wanted) known += (known.empty() ? "" : " and ") + std::string{w.key};
      return refuse(path, at + "has a key other than " + known);
    }
    if (!target->into->empty()) return refuse(path, at + "repeats " + std::string{key});
    if (value.empty()) return refuse(path, at + "leaves " + std::string{key} + " empty");
    for (const char c : value) {
      if (c <= 0x20 || c >= 0x7f)
        return refuse(path, at + "holds a space or a character that is not ASCII");
    }
    *target->into = Secret::copy_of(value);
  }
  for (const Wanted& w : wanted) {
    if (w.into->empty()) return refuse(path, std::string{w.key} + "=... is missing");
  }
  return {};
}

Outcome read_wanted(const std::string& where, std::span<const Wanted> wanted, std::string& path) {
  Place place;
  if (auto located = locate(where, place); !located) return located;
  path = place.directory + "/" + place.file;
  const Descriptor directory{::open(place.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  struct stat st {};
  if (directory.get() < 0 || ::fstat(directory.get(), &st) != 0) {
    return Outcome::system("open the directory of credential", path);
  }
  if (auto checked = check_directory(place, st); !checked) return checked;
  // Opened relative to the directory that was checked, and judged by its descriptor: no race.
  const Descriptor file{::openat(directory.get(), place.file.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0) {
    if (errno == ELOOP) return refuse(path, "it is a symbolic link; name the file itself");
    return Outcome::system("open credential", path);
  }
  if (::fstat(file.get(), &st) != 0) return Outcome::system("examine credential", path);
  if (auto checked = check_file(place, st); !checked) return checked;
  Secret content{credential_bytes_max + 1};
  if (auto got = read_all(file.get(), path, content); !got) return got;
  return parse(content.reveal(), path, wanted);
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Secret::Secret(std::size_t capacity) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  capacity_ = (capacity + page - 1) / page * page;
  if (capacity_ == 0) return;
  void* memory =
      ::mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    capacity_ = 0;
    throw std::bad_alloc{};
  }
  data_ = static_cast<char*>(memory);
  locked_ = ::mlock(memory, capacity_) == 0;
  ::madvise(memory, capacity_, MADV_DONTDUMP);
  ::madvise(memory, capacity_, MADV_WIPEONFORK);
}

Secret::Secret(Secret&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)},
      size_{std::exchange(other.size_, 0)},
      capacity_{std::exchange(other.capacity_, 0)},
      locked_{std::exchange(other.locked_, false)} {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  locked_ = std::exchange(other.locked_, false);
  return *this;
}

Secret::~Secret() { release(); }

void Secret::release() noexcept {
  if (data_ == nullptr) return;
  ::explicit_bzero(data_, capacity_);
  ::munmap(data_, capacity_);
  data_ = nullptr;
}

Secret Secret::copy_of(std::string_view text) {
  Secret secret{text.size()};
  text.copy(secret.data(), text.size());
  secret.resize(text.size());
  return secret;
}

Outcome read_credentials(const std::string& where, Credentials& out) {
  Credentials found;
  const std::array<Wanted, 2> wanted{
      {{"client_id", &found.client_id}, {"client_secret", &found.client_secret}}};
  std::string path;
  if (auto got = read_wanted(where, wanted, path); !got) return got;
  out = std::move(found);
  return {};
}

Outcome read_key(const std::string& where, Secret& out) {
  Secret text;
  const std::array<Wanted, 1> wanted{{{"key", &text}}};
  std::string path;
  if (auto got = read_wanted(where, wanted, path); !got) return got;
  const std::string_view digits = text.reveal();
  Secret key{secret_key_bytes};
  key.resize(secret_key_bytes);
  bool good = digits.size() == 2 * secret_key_bytes;
  for (std::size_t i = 0; good && i < secret_key_bytes; ++i) {
    const int high = hex_digit(digits[2 * i]);
    const int low = hex_digit(digits[2 * i + 1]);
    good = high >= 0 && low >= 0;
    key.data()[i] = static_cast<char>(high * 16 + low);
  }
  if (!good) return refuse(path, "key=... must be 64 lower-case hex digits (openssl rand -hex 32)");
  out = std::move(key);
  return {};
}

Outcome forbid_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0)
    return Outcome::system("set the core dump limit", "to 0");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return Outcome::system("make the process", "non-dumpable");
  return {};
}

}  // namespace gimbal
