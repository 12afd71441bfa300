#include "engine/runtime/latch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <string_view>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/packed_bytes.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t latch_magic_v1 = 0x314843544C424D47ULL;  // "GMBLTCH1": no names
constexpr std::uint64_t latch_magic = 0x324843544C424D47ULL;     // "GMBLTCH2"
constexpr std::uint64_t epoch_magic = 0x31484350454D4247ULL;
constexpr std::size_t file_bytes_max = 8u << 20;

LatchState untrusted(const std::string& why) {
  LatchEntry halt;
  halt.mode = Mode::halt;
  halt.reason = why;
  return LatchState{{std::move(halt)}, false};
}

Outcome write_and_sync(const std::string& path, const std::string& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Outcome::system("create", path);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      Outcome why = Outcome::system("write", path);
      ::close(fd);
      return why;
    }
    done += static_cast<std::size_t>(n);
  }
  Outcome result;
  if (::fsync(fd) != 0) result = Outcome::system("sync", path);
  ::close(fd);
  return result;
}

// One writer at a time over load, change and store. Given up after wait_max: the other writer may
// hang, and a latch that is not written is worse than one that forgets what was added meanwhile.
class WriterLock {
 public:
  static constexpr int tries = 100;  // of a millisecond
  explicit WriterLock(const std::string& latch_path)
      : fd_{::open((latch_path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0600)} {
    for (int i = 0; fd_ >= 0 && i < tries; ++i) {
      held_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
      if (held_) return;
      const timespec nap{0, 1'000'000};
      ::nanosleep(&nap, nullptr);
    }
  }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  int fd_;
  bool held_{false};
};

// The bytes of a text behind its length.
template <class Length>
bool get_text(std::string_view& in, std::size_t max, std::string& out) {
  Length bytes = 0;
  if (!get_bytes(in, bytes) || bytes > max || bytes > in.size()) return false;
  out.assign(in.substr(0, bytes));
  in.remove_prefix(bytes);
  return true;
}

bool get_entry(std::string_view& in, bool named, LatchEntry& entry) {
  std::uint8_t level = 0, mode = 0;
  if (!get_bytes(in, level) || !get_bytes(in, mode) || !get_bytes(in, entry.scope.id) ||
      !get_bytes(in, entry.uid) || !get_bytes(in, entry.command_id) ||
      !get_bytes(in, entry.when.unix_ns) ||
      !get_text<std::uint16_t>(in, latch_reason_max, entry.reason)) {
    return false;
  }
  if (named && !get_text<std::uint8_t>(in, latch_name_max, entry.name)) return false;
  if (level >= scope_levels || mode > static_cast<std::uint8_t>(Mode::lock)) return false;
  entry.scope.level = static_cast<ScopeLevel>(level);
  entry.mode = static_cast<Mode>(mode);
  const bool unlisted = entry.scope.id == latch_id_unknown && !entry.name.empty();
  return unlisted || entry.scope.id < scope_count(entry.scope.level);
}

bool same_scope(const LatchEntry& a, const LatchEntry& b) noexcept {
  if (a.scope.level != b.scope.level) return false;
  return a.name.empty() || b.name.empty() ? a.scope.id == b.scope.id : a.name == b.name;
}

}  // namespace

Outcome read_small_file(const std::string& path, std::string& out, bool& missing) {
  missing = false;
  out.clear();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    missing = errno == ENOENT;
    return Outcome::system("read", path);
  }
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) break;
    if (n < 0 || out.size() > file_bytes_max) {
      Outcome why = n < 0 ? Outcome::system("read", path) : Outcome::failure(path + ": too large");
      ::close(fd);
      return why;
    }
    out.append(chunk.data(), static_cast<std::size_t>(n));
  }
  ::close(fd);
  return {};
}

std::string encode_latch(const std::vector<LatchEntry>& entries) {
  std::string out;
  put_bytes(out, latch_magic);
  put_bytes(out, static_cast<std::uint32_t>(entries.size()));
  for (const LatchEntry& e : entries) {
    const std::string reason = e.reason.substr(0, latch_reason_max);
    put_bytes(out, static_cast<std::uint8_t>(e.scope.level));
    put_bytes(out, static_cast<std::uint8_t>(e.mode));
    put_bytes(out, e.scope.id);
    put_bytes(out, e.uid);
    put_bytes(out, e.command_id);
    put_bytes(out, e.when.unix_ns);
    put_bytes(out, static_cast<std::uint16_t>(reason.size()));
    out += reason;
    const std::string name = e.name.substr(0, latch_name_max);
    put_bytes(out, static_cast<std::uint8_t>(name.size()));
    out += name;
  }
  put_bytes(out, crc32c(out.data(), out.size()));
  return out;
}

LatchState parse_latch(const std::string& bytes) {
  std::uint64_t magic = 0;
  std::uint32_t count = 0, crc = 0;
  if (bytes.size() < sizeof magic + sizeof count + sizeof crc)
    return untrusted("latch file is cut");
  std::string_view tail = std::string_view{bytes}.substr(bytes.size() - sizeof crc);
  (void)get_bytes(tail, crc);
  if (crc != crc32c(bytes.data(), bytes.size() - sizeof crc)) {
    return untrusted("latch file checksum differs");
  }
  std::string_view in = std::string_view{bytes}.substr(0, bytes.size() - sizeof crc);
  if (!get_bytes(in, magic) || (magic != latch_magic && magic != latch_magic_v1)) {
    return untrusted("not a latch file");
  }
  if (!get_bytes(in, count) || count > latch_entries_max)
    return untrusted("latch file makes no sense");
  LatchState state;
  state.trusted = true;
  for (std::uint32_t i = 0; i < count; ++i) {
    LatchEntry entry;
    if (!get_entry(in, magic == latch_magic, entry))
      return untrusted("latch file entry makes no sense");
    state.entries.push_back(std::move(entry));
  }
  if (!in.empty()) return untrusted("latch file has bytes too many");
  return state;
}

Outcome replace_file(const std::string& path, const std::string& bytes) {
  // A name of this process: two writers never write into one file.
  const std::string fresh = path + ".new." + std::to_string(::getpid());
  if (Outcome written = write_and_sync(fresh, bytes); !written) return written;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return Outcome::system("rename", fresh);
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Outcome::system("open directory", directory);
  Outcome result;
  if (::fsync(fd) != 0) result = Outcome::system("sync directory", directory);
  ::close(fd);
  return result;
}

LatchState LatchFile::load() const {
  std::string bytes;
  bool missing = false;
  if (const Outcome read = read_small_file(path_, bytes, missing); !read) {
    return untrusted(missing ? "latch file is missing: " + path_ : read.error());
  }
  return parse_latch(bytes);
}

Outcome LatchFile::store(const std::vector<LatchEntry>& entries) const {
  if (entries.size() > latch_entries_max) return Outcome::failure("too many latched scopes");
  return replace_file(path_, encode_latch(entries));
}

bool raise_entry(std::vector<LatchEntry>& entries, const LatchEntry& entry) {
  const auto same = std::find_if(entries.begin(), entries.end(),
                                 [&](const LatchEntry& e) { return same_scope(e, entry); });
  if (same == entries.end()) {
    entries.push_back(entry);
    return true;
  }
  const bool named = same->name.empty() && !entry.name.empty();
  if (named) same->name = entry.name;
  if (same->mode >= entry.mode) return named;
  std::string name = std::move(same->name);
  *same = entry;
  same->name = std::move(name);
  return true;
}

bool renumber(std::vector<LatchEntry>& entries, const ScopeNumber& number) {
  bool changed = false;
  for (LatchEntry& e : entries) {
    if (e.name.empty() || e.scope.level == ScopeLevel::global) continue;
    const std::uint16_t id = number(e.scope.level, e.name);
    // There is one venue and one account, whatever they are called. The number of anything else may
    // be somebody else's now.
    const bool only_one =
        e.scope.level == ScopeLevel::venue || e.scope.level == ScopeLevel::account;
    if (id == latch_id_unknown && only_one) continue;
    changed = changed || id != e.scope.id;
    e.scope.id = id;
  }
  return changed;
}

Outcome LatchFile::tighten(const LatchEntry& entry) const {
  const WriterLock lock{path_};
  LatchState state = load();
  const bool changed = raise_entry(state.entries, entry);
  if (!changed && state.trusted) return {};  // already as strict and durable
  return store(state.entries);
}

Outcome LatchFile::attribute(const LatchEntry& entry) const {
  const WriterLock lock{path_};
  // Words are not worth what another writer may be about to put there.
  if (!lock.held()) return Outcome::failure("somebody else writes " + path_);
  LatchState state = load();
  const auto written =
      std::find_if(state.entries.begin(), state.entries.end(), [&](const LatchEntry& e) {
        return same_scope(e, entry) && e.mode == entry.mode && e.command_id == entry.command_id;
      });
  if (!state.trusted || written == state.entries.end()) return {};
  written->uid = entry.uid;
  written->reason = entry.reason;
  return store(state.entries);
}

Outcome LatchFile::release(Scope scope, const std::vector<LatchEntry>& held) const {
  const WriterLock lock{path_};
  LatchState state = load();
  for (const LatchEntry& entry : held) (void)raise_entry(state.entries, entry);
  std::erase_if(state.entries, [&](const LatchEntry& e) { return e.scope == scope; });
  return store(state.entries);
}

Outcome LatchFile::renumber(const ScopeNumber& number) const {
  const WriterLock lock{path_};
  LatchState state = load();
  if (!state.trusted || !gimbal::renumber(state.entries, number)) return {};
  return store(state.entries);
}

Outcome next_boot_epoch(const std::string& path, std::uint32_t at_least, std::uint32_t& epoch) {
  std::string bytes;
  bool missing = false;
  const Outcome read = read_small_file(path, bytes, missing);
  if (!read && !missing) return read;
  std::uint32_t next = at_least;
  if (read) {
    std::string_view in = bytes;
    std::uint64_t magic = 0;
    std::uint32_t last = 0, crc = 0;
    if (bytes.size() != 16 || !get_bytes(in, magic) || !get_bytes(in, last) ||
        !get_bytes(in, crc) || magic != epoch_magic || crc != crc32c(bytes.data(), 12)) {
      return Outcome::failure(path +
                              ": boot epoch file is damaged; write a new one above every epoch "
                              "in the journal directory");
    }
    next = std::max(at_least, last + 1);
  }
  if (next == 0) next = 1;
  if (next > boot_epoch_max) return Outcome::failure(path + ": boot epochs are used up");
  std::string out;
  put_bytes(out, epoch_magic);
  put_bytes(out, next);
  put_bytes(out, crc32c(out.data(), out.size()));
  if (Outcome stored = replace_file(path, out); !stored) return stored;
  epoch = next;
  return {};
}

InstanceLock::~InstanceLock() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome InstanceLock::acquire(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Outcome::system("open", path);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {  // nobody may hold it, but nobody knows: no start
      Outcome why = Outcome::system("lock", path);
      ::close(fd);
      return why;
    }
    std::array<char, 24> owner{};
    const ssize_t n = ::pread(fd, owner.data(), owner.size() - 1, 0);
    ::close(fd);
    const std::string pid =
        n > 0 ? std::string{owner.data(), static_cast<std::size_t>(n)} : "unknown";
    return Outcome::failure(path + ": another instance runs for this account (pid " + pid + ")");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    Outcome why = Outcome::system("write", path);
    ::close(fd);
    return why;
  }
  fd_ = fd;
  return {};
}

}  // namespace gimbal
