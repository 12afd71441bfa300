#include "engine/runtime/journal_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_segments.hpp"

namespace gimbal {
namespace {

namespace fs = std::filesystem;

constexpr const char* packed_suffix = ".zst";
constexpr int pack_level = 3;

// "PREFIX-EEEEEEEE-SSSSSS.SUFFIX" with or without ".zst".
bool parse_name(std::string name, const StreamName& stream, SegmentFile& out) {
  const std::string zst = packed_suffix;
  out.packed = name.size() > zst.size() && name.ends_with(zst);
  if (out.packed) name.resize(name.size() - zst.size());
  const std::string head = std::string{stream.prefix} + "-";
  if (!name.starts_with(head) || !name.ends_with(stream.suffix)) return false;
  name = name.substr(head.size(), name.size() - head.size() - std::strlen(stream.suffix));
  unsigned e = 0, s = 0;
  int used = 0;
  if (name.size() != 15 || std::sscanf(name.c_str(), "%8x-%6x%n", &e, &s, &used) != 2) return false;
  if (used != 15) return false;
  out.epoch = e;
  out.segment = s;
  return true;
}

Outcome read_file(const std::string& path, std::vector<std::byte>& out) {
  std::ifstream in{path, std::ios::binary | std::ios::ate};
  if (!in) return Outcome::system("open", path);
  const auto bytes = static_cast<std::streamsize>(in.tellg());
  if (bytes < 0) return Outcome::failure("cannot read " + path + ": not a file");
  out.resize(static_cast<std::size_t>(bytes));
  in.seekg(0);
  if (bytes > 0 && !in.read(reinterpret_cast<char*>(out.data()), bytes)) {
    return Outcome::system("read", path);
  }
  return {};
}

Outcome unpack(const std::string& path, const std::vector<std::byte>& packed,
               std::vector<std::byte>& out) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > unpacked_bytes_max) {
    return Outcome::failure("cannot unpack " + path + ": not a packed segment, or too large");
  }
  out.resize(static_cast<std::size_t>(size));
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != out.size()) {
    return Outcome::failure("cannot unpack " + path + ": " +
                            (ZSTD_isError(got) != 0 ? ZSTD_getErrorName(got) : "it is shorter"));
  }
  return {};
}

Outcome write_all(int fd, const std::byte* at, std::size_t bytes, const std::string& path) {
  while (bytes > 0) {
    const ssize_t n = ::write(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Outcome::system("write", path);
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return {};
}

// What is read and written at once, so that packing beside trading takes no memory to speak of.
constexpr std::size_t pack_bytes = SegmentWindow::chunk_bytes / 2;

Outcome pack_to(int fd, SegmentWindow& plain, const std::string& path) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> packer{ZSTD_createCCtx(),
                                                                       &ZSTD_freeCCtx};
  const auto failed = [&path](const std::string& why) {
    return Outcome::failure("cannot pack " + path + ": " + why);
  };
  if (packer == nullptr) return failed("no memory");
  (void)ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_compressionLevel, pack_level);
  (void)ZSTD_CCtx_setPledgedSrcSize(packer.get(), plain.size());
  std::vector<std::byte> packed(ZSTD_CStreamOutSize());
  std::uint64_t at = 0;
  for (bool over = false; !over;) {
    const auto some = plain.at(at, std::min<std::uint64_t>(pack_bytes, plain.size() - at));
    if (!plain.error().empty()) return Outcome::failure(plain.error());
    at += some.size();
    const bool last = at == plain.size();
    ZSTD_inBuffer in{some.data(), some.size(), 0};
    for (bool taken = false; !taken;) {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      const std::size_t left =
          ZSTD_compressStream2(packer.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) return failed(ZSTD_getErrorName(left));
      if (Outcome o = write_all(fd, packed.data(), out.pos, path); !o) return o;
      taken = last ? left == 0 : in.pos == in.size;
    }
    over = last;
  }
  return ::fsync(fd) == 0 ? Outcome{} : Outcome::system("sync", path);
}

Outcome write_packed(const std::string& path, const std::string& draft) {
  SegmentWindow plain;
  if (Outcome o = plain.open(JournalSegments::of_file(path), 0); !o) return o;
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Outcome::system("create", draft);
  Outcome result = pack_to(fd, plain, draft);
  ::close(fd);
  return result;
}

Outcome check_packed(const std::string& path, const std::string& draft) {
  SegmentWindow plain, packed;
  if (Outcome o = plain.open(JournalSegments::of_file(path), 0); !o) return o;
  if (Outcome o = packed.open(JournalSegments::of_file(draft), 0); !o) return o;
  bool same = plain.size() == packed.size();
  for (std::uint64_t at = 0; same && at < plain.size(); at += pack_bytes) {
    const std::uint64_t bytes = std::min<std::uint64_t>(pack_bytes, plain.size() - at);
    const auto a = plain.at(at, bytes);
    const auto b = packed.at(at, bytes);
    same = a.size() == bytes && std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  return same ? Outcome{} : Outcome::failure(draft + " does not unpack to " + path);
}

}  // namespace

std::vector<SegmentFile> list_segments(const std::string& directory, const StreamName& stream) {
  std::vector<SegmentFile> found;
  std::error_code bad;
  for (const auto& entry : fs::directory_iterator{directory, bad}) {
    SegmentFile file;
    if (!parse_name(entry.path().filename().string(), stream, file)) continue;
    file.path = entry.path().string();
    struct stat facts {};
    if (::stat(file.path.c_str(), &facts) != 0) continue;
    file.bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
    file.modified_unix_ns = facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec;
    found.push_back(std::move(file));
  }
  std::sort(found.begin(), found.end(), [](const SegmentFile& a, const SegmentFile& b) {
    return std::tie(a.epoch, a.segment, a.packed) < std::tie(b.epoch, b.segment, b.packed);
  });
  // Both forms of a segment are there for a moment while it is packed: the original counts.
  const auto twice = std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.epoch == b.epoch && a.segment == b.segment;
  });
  found.erase(twice, found.end());
  return found;
}

std::uint32_t epoch_after(const std::string& directory) {
  std::uint32_t newest = 0;
  for (const StreamName& stream : {journal_stream, frame_stream}) {
    for (const SegmentFile& file : list_segments(directory, stream)) {
      if (file.epoch < boot_epoch_max) newest = std::max(newest, file.epoch);
    }
  }
  return newest + 1;
}

Outcome read_segment(const std::string& path, std::vector<std::byte>& out) {
  if (!path.ends_with(packed_suffix)) return read_file(path, out);
  std::vector<std::byte> packed;
  if (Outcome read = read_file(path, packed); !read) return read;
  return unpack(path, packed, out);
}

Outcome find_segments(const std::string& path, const StreamName& stream, std::uint32_t epoch,
                      std::vector<std::string>& paths) {
  paths.clear();
  std::error_code bad;
  std::string directory = path;
  std::uint32_t from = 0;
  if (fs::is_regular_file(path, bad)) {
    SegmentFile named;
    if (!parse_name(fs::path{path}.filename().string(), stream, named)) {
      paths.push_back(path);
      return {};
    }
    epoch = named.epoch;
    from = named.segment;
    directory = fs::path{path}.parent_path().string();
    if (directory.empty()) directory = ".";
  } else if (!fs::is_directory(path, bad)) {
    return Outcome::failure("cannot read journal " + path + ": no such file or directory");
  }
  const std::vector<SegmentFile> all = list_segments(directory, stream);
  if (epoch == 0 && !all.empty()) epoch = all.back().epoch;
  for (const SegmentFile& file : all) {
    if (file.epoch == epoch && file.segment >= from) paths.push_back(file.path);
  }
  if (paths.empty()) return Outcome::failure("no journal segment in " + directory);
  return {};
}

Outcome pack_segment(const std::string& path) {
  const std::string target = path + packed_suffix;
  const std::string draft = path + ".new" + packed_suffix;
  Outcome done = write_packed(path, draft);
  if (done) done = check_packed(path, draft);
  if (!done) {
    (void)::unlink(draft.c_str());
    return done;
  }
  if (::rename(draft.c_str(), target.c_str()) != 0) return Outcome::system("rename", draft);
  if (::unlink(path.c_str()) != 0) return Outcome::system("remove", path);
  return {};
}

namespace {

// A segment is created before the one at hand is ended: only one that has begun has that behind it.
bool begun(const SegmentFile& file) {
  if (file.packed) return true;
  std::array<char, 8> magic{};
  std::ifstream in{file.path, std::ios::binary};
  in.read(magic.data(), magic.size());
  return in.good() && std::any_of(magic.begin(), magic.end(), [](char c) { return c != 0; });
}

}  // namespace

RetentionResult tidy_segments(const std::string& directory, std::uint32_t epoch,
                              const RetentionConfig& config, std::int64_t now_unix_ns) {
  RetentionResult result;
  std::vector<SegmentFile> all;
  for (const StreamName& stream : {journal_stream, frame_stream}) {
    const auto files = list_segments(directory, stream);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const bool closed =
          files[i].epoch < epoch ||
          (i + 1 < files.size() && files[i + 1].epoch == files[i].epoch && begun(files[i + 1]));
      if (config.pack && closed && !files[i].packed && result.packed == 0) {
        if (Outcome packed = pack_segment(files[i].path); !packed) {
          result.problems.push_back(packed.error());
        } else {
          ++result.packed;
        }
      }
    }
    const auto now = list_segments(directory, stream);
    all.insert(all.end(), now.begin(), now.end());
  }
  std::uint64_t total = 0;
  for (const SegmentFile& f : all) total += f.bytes;
  result.bytes_before = total;
  std::sort(all.begin(), all.end(), [](const SegmentFile& a, const SegmentFile& b) {
    return std::tie(a.epoch, a.segment) < std::tie(b.epoch, b.segment);
  });
  // A boot goes as a whole or stays: a journal without its first segment cannot be replayed.
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    std::uint64_t bytes = 0;
    std::int64_t newest = 0;
    for (; end < all.size() && all[end].epoch == all[i].epoch; ++end) {
      bytes += all[end].bytes;
      newest = std::max(newest, all[end].modified_unix_ns);
    }
    const bool old = config.keep.count > 0 && now_unix_ns - newest > config.keep.count;
    const bool large = config.keep_bytes > 0 && total > config.keep_bytes;
    if (all[i].epoch < epoch && (old || large)) {
      for (; i < end; ++i) {
        if (::unlink(all[i].path.c_str()) == 0)
          ++result.deleted;
        else
          result.problems.push_back(Outcome::system("remove", all[i].path).error());
      }
      total -= bytes;
    }
    i = end;
  }
  result.bytes_after = total;
  return result;
}

}  // namespace gimbal
