#include "engine/runtime/journal_segments.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/runtime/journal_files.hpp"

namespace gimbal {
namespace {

constexpr const char* packed_name_end = ".zst";
// Kept before the place that is asked for: the parts of a unit are looked at ahead.
constexpr std::uint64_t window_margin = 4096;

bool only_zeros(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

JournalSegments::JournalSegments(const std::vector<std::span<const std::byte>>& in_memory) {
  auto all = std::make_shared<std::vector<One>>();
  for (const auto& bytes : in_memory) all->push_back({bytes, {}});
  all_ = std::move(all);
}

JournalSegments JournalSegments::of_file(std::string path) {
  JournalSegments out;
  out.all_ = std::make_shared<std::vector<One>>(1, One{{}, std::move(path)});
  return out;
}

Outcome JournalSegments::find(const std::string& path, const StreamName& stream,
                              std::uint32_t epoch, JournalSegments& out) {
  std::vector<std::string> paths;
  if (Outcome o = find_segments(path, stream, epoch, paths); !o) return o;
  auto all = std::make_shared<std::vector<One>>();
  for (std::string& p : paths) all->push_back({{}, std::move(p)});
  out.all_ = std::move(all);
  return {};
}

// A segment's file, read from front to back.
class SegmentWindow::File {
 public:
  File() = default;
  ~File() {
    ZSTD_freeDCtx(unpacker_);
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Outcome open(std::string path, std::uint64_t& size);
  [[nodiscard]] bool packed() const noexcept { return unpacker_ != nullptr; }
  // Empty, or why not all `bytes` could be read.
  std::string read(std::uint64_t offset, std::byte* to, std::size_t bytes);

 private:
  std::string read_plain(std::uint64_t offset, std::byte* to, std::size_t bytes, std::size_t& got);
  std::string unpack(std::byte* to, std::size_t bytes);
  Outcome open_packed(std::uint64_t& size);
  [[nodiscard]] std::string unpack_failed(const char* why) const {
    return "cannot unpack " + path_ + ": " + why;
  }

  std::string path_;
  int fd_{-1};
  ZSTD_DCtx* unpacker_{nullptr};
  std::vector<std::byte> packed_;    // as read from the file
  ZSTD_inBuffer in_{};               // of packed_
  std::uint64_t packed_at_{0};       // how much of the file was read
  std::uint64_t unpacked_at_{0};     // the next byte that unpack() gives
  std::vector<std::byte> left_out_;  // what is passed over
};

Outcome SegmentWindow::File::open(std::string path, std::uint64_t& size) {
  path_ = std::move(path);
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0 && errno == ENOENT && !path_.ends_with(packed_name_end)) {
    path_ += packed_name_end;  // a running bot has packed it meanwhile
    fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (fd_ < 0) return Outcome::system("open", path_);
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) return Outcome::system("read", path_);
  if (!S_ISREG(facts.st_mode)) return Outcome::failure("cannot read " + path_ + ": not a file");
  (void)::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  size = static_cast<std::uint64_t>(facts.st_size);
  return path_.ends_with(packed_name_end) ? open_packed(size) : Outcome{};
}

Outcome SegmentWindow::File::open_packed(std::uint64_t& size) {
  std::array<std::byte, 64> head{};
  std::size_t got = 0;
  if (std::string why = read_plain(0, head.data(), std::min(head.size(), std::size_t{size}), got);
      !why.empty()) {
    return Outcome::failure(why);
  }
  const unsigned long long unpacked = ZSTD_getFrameContentSize(head.data(), got);
  if (unpacked == ZSTD_CONTENTSIZE_ERROR || unpacked == ZSTD_CONTENTSIZE_UNKNOWN ||
      unpacked > unpacked_bytes_max) {
    return Outcome::failure(unpack_failed("not a packed segment, or too large"));
  }
  unpacker_ = ZSTD_createDCtx();
  if (unpacker_ == nullptr) return Outcome::failure(unpack_failed("no memory"));
  packed_.resize(ZSTD_DStreamInSize());
  left_out_.resize(ZSTD_DStreamOutSize());
  size = unpacked;
  return {};
}

std::string SegmentWindow::File::read(std::uint64_t offset, std::byte* to, std::size_t bytes) {
  std::size_t got = 0;
  if (unpacker_ == nullptr) {
    std::string why = read_plain(offset, to, bytes, got);
    if (why.empty() && got < bytes) why = "cannot read " + path_ + ": it was cut meanwhile";
    return why;
  }
  if (offset < unpacked_at_) {
    (void)ZSTD_DCtx_reset(unpacker_, ZSTD_reset_session_only);
    in_ = {};
    packed_at_ = unpacked_at_ = 0;
  }
  std::string why;
  while (why.empty() && unpacked_at_ < offset) {
    why =
        unpack(left_out_.data(), std::min<std::uint64_t>(left_out_.size(), offset - unpacked_at_));
  }
  return why.empty() ? unpack(to, bytes) : why;
}

std::string SegmentWindow::File::read_plain(std::uint64_t offset, std::byte* to, std::size_t bytes,
                                            std::size_t& got) {
  for (got = 0; got < bytes;) {
    const ssize_t n = ::pread(fd_, to + got, bytes - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Outcome::system("read", path_).error();
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return {};
}

std::string SegmentWindow::File::unpack(std::byte* to, std::size_t bytes) {
  ZSTD_outBuffer out{to, bytes, 0};
  while (out.pos < out.size) {
    if (in_.pos == in_.size) {
      std::size_t got = 0;
      if (std::string why = read_plain(packed_at_, packed_.data(), packed_.size(), got);
          !why.empty()) {
        return why;
      }
      packed_at_ += got;
      in_ = {packed_.data(), got, 0};
    }
    const std::size_t before = out.pos;
    const bool starved = in_.size == 0;
    const std::size_t said = ZSTD_decompressStream(unpacker_, &out, &in_);
    if (ZSTD_isError(said) != 0) return unpack_failed(ZSTD_getErrorName(said));
    if (starved && out.pos == before) return unpack_failed("it is shorter");
  }
  unpacked_at_ += bytes;
  return {};
}

SegmentWindow::SegmentWindow(std::uint64_t chunk) : chunk_{chunk} {}
SegmentWindow::~SegmentWindow() = default;

bool SegmentWindow::packed() const noexcept { return file_ != nullptr && file_->packed(); }

Outcome SegmentWindow::open(const JournalSegments& segments, std::size_t n) {
  begin_ = held_ = 0;
  error_.clear();
  if (segments.path(n).empty()) {
    file_.reset();
    data_ = segments.memory(n).data();
    held_ = size_ = segments.memory(n).size();
    return {};
  }
  file_ = std::make_unique<File>();
  data_ = buffer_.get();
  size_ = 0;
  Outcome opened = file_->open(segments.path(n), size_);
  if (!opened) {
    size_ = 0;
    error_ = opened.error();
  }
  return opened;
}

// Drops what is before `offset`, and has room for `room` bytes from there on.
void SegmentWindow::keep_from(std::uint64_t offset, std::size_t room) {
  const std::uint64_t end = begin_ + held_;
  const bool some = offset >= begin_ && offset < end;
  const std::byte* kept = some ? data_ + (offset - begin_) : nullptr;
  held_ = some ? end - offset : 0;
  begin_ = offset;
  if (room <= room_ && !held_elsewhere_) {
    if (some) std::memmove(buffer_.get(), kept, held_);
  } else {
    const std::size_t bytes = std::max(room, room_);
    auto fresh = std::make_shared_for_overwrite<std::byte[]>(bytes);
    if (some) std::memcpy(fresh.get(), kept, held_);
    buffer_ = std::move(fresh);
    room_ = bytes;
    held_elsewhere_ = false;
  }
  data_ = buffer_.get();
}

void SegmentWindow::fill(std::uint64_t offset, std::uint64_t bytes) {
  if (file_ == nullptr || !error_.empty() || offset > size_) return;
  const std::uint64_t from = offset > window_margin ? offset - window_margin : 0;
  const std::uint64_t needed = std::min(bytes, size_ - offset) + (offset - from);
  const std::uint64_t wanted = std::min(std::max(needed, chunk_), size_ - from);
  keep_from(from, wanted);
  if (wanted <= held_) return;
  error_ = file_->read(begin_ + held_, buffer_.get() + held_, wanted - held_);
  if (error_.empty()) held_ = wanted;
}

bool SegmentWindow::zeros_from(std::uint64_t offset) {
  while (offset < size_) {
    const auto some = at(offset, std::min<std::uint64_t>(size_ - offset, chunk_bytes / 2));
    if (some.empty() || !only_zeros(some)) return false;
    offset += some.size();
  }
  return true;
}

}  // namespace gimbal
