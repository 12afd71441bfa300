#include "ops/app/line_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "engine/runtime/crc32c.hpp"

namespace gimbal {
namespace {

constexpr std::string_view crc_key = ",\"crc\":\"";
constexpr std::size_t crc_tail = 8 + 2;  // eight digits, quote, brace

std::string crc_text(std::string_view body) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", crc32c(body.data(), body.size()));
  return text.data();
}

bool sound(std::string_view line) {
  const std::size_t tail = crc_key.size() + crc_tail;
  if (line.size() <= tail || line.front() != '{') return false;
  const std::string_view body = line.substr(0, line.size() - tail);
  return line.substr(body.size()) == std::string{crc_key} + crc_text(body) + "\"}";
}

Outcome read_whole(const std::string& path, std::string& out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT ? Outcome{} : Outcome::system("open", path);
  std::array<char, 65536> chunk{};
  ssize_t got = 0;
  while ((got = ::read(fd, chunk.data(), chunk.size())) > 0) {
    out.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const Outcome outcome = got < 0 ? Outcome::system("read", path) : Outcome{};
  ::close(fd);
  return outcome;
}

void sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

// Where the value of `key` begins; npos when there is none.
std::size_t value_at(std::string_view line, std::string_view key) {
  const std::string wanted = "\"" + std::string{key} + "\":";
  const auto at = line.find(wanted);
  return at == std::string_view::npos ? at : at + wanted.size();
}

}  // namespace

LineRecord::~LineRecord() {
  if (fd_ < 0) return;
  (void)commit();
  ::close(fd_);
}

Outcome LineRecord::open_file(int flags) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd_ < 0) return Outcome::system("open", path_);
  sync_directory_of(path_);
  return {};
}

Outcome LineRecord::open(const std::string& path, const std::function<void(std::string_view)>& line,
                         std::uint64_t& damaged) {
  path_ = path;
  damaged = 0;
  std::string bytes;
  if (Outcome o = read_whole(path, bytes); !o) return o;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto end = rest.find('\n');
    const std::string_view one = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (sound(one)) {
      line(one);
    } else if (!one.empty()) {
      ++damaged;
    }
  }
  if (Outcome o = open_file(0); !o) return o;
  bytes_ = bytes.size();
  // The writer died inside a line: what follows begins on a line of its own.
  if (!bytes.empty() && bytes.back() != '\n') pending_ = "\n";
  return {};
}

bool LineRecord::append(std::string object, bool durable) {
  if (pending_.size() + object.size() > pending_bytes_max) return false;
  const std::string crc = crc_text(object);
  pending_ += object;
  pending_ += crc_key;
  pending_ += crc + "\"}\n";
  durable_ = durable_ || durable;
  return true;
}

Outcome LineRecord::commit() {
  if (fd_ < 0) return Outcome::failure(path_ + " is not open");
  std::size_t done = 0;
  Outcome outcome;
  while (done < pending_.size()) {
    const ssize_t put = ::write(fd_, pending_.data() + done, pending_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      outcome = Outcome::system("write", path_);
      break;
    }
    done += static_cast<std::size_t>(put);
  }
  bytes_ += done;
  pending_.erase(0, done);
  if (!outcome || !durable_) return outcome;
  if (::fdatasync(fd_) != 0) return Outcome::system("sync", path_);
  durable_ = false;
  return {};
}

Outcome LineRecord::begin_anew() {
  if (Outcome o = commit(); !o) return o;
  if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return Outcome::system("move", path_);
  ::close(fd_);
  bytes_ = 0;
  return open_file(O_TRUNC);
}

std::string line_text(std::string_view line, std::string_view key) {
  const auto at = value_at(line, key);
  std::string out;
  if (at == std::string_view::npos || at >= line.size() || line[at] != '"') return out;
  for (std::size_t i = at + 1; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] != '\\') {
      out += line[i];
    } else if (line.substr(i + 1, 1) == "u") {  // a control character
      out += ' ';
      i += 5;
    } else if (++i < line.size()) {
      out += line[i];
    }
  }
  return out;
}

std::int64_t line_integer(std::string_view line, std::string_view key, std::int64_t missing) {
  const auto at = value_at(line, key);
  if (at == std::string_view::npos) return missing;
  std::int64_t value = missing;
  const auto [end, error] = std::from_chars(line.data() + at, line.data() + line.size(), value);
  return error == std::errc{} ? value : missing;
}

}  // namespace gimbal
