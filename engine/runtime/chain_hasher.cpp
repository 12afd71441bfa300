#include "engine/runtime/chain_hasher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gimbal {

void ChainHasher::restart(const Sha256Digest& chain) {
  Job job;
  job.kind = Kind::restart;
  job.digest = chain;
  put(std::move(job));
}

void ChainHasher::add(std::shared_ptr<const std::byte[]> hold, std::span<const std::byte> bytes) {
  Job job;
  job.hold = std::move(hold);
  job.bytes = bytes;
  put(std::move(job));
}

void ChainHasher::seal(const Sha256Digest& expected, std::uint64_t block, std::uint32_t segment,
                       std::uint64_t offset) {
  Job job;
  job.kind = Kind::seal;
  job.digest = expected;
  job.block = block;
  job.segment = segment;
  job.offset = offset;
  put(std::move(job));
}

void ChainHasher::finish() {
  if (gathered_.empty() && !worker_.joinable()) return;
  Job job;
  job.kind = Kind::stop;
  put(std::move(job));
  if (!gathered_.empty()) hand_over();
  worker_.join();
}

void ChainHasher::put(Job job) {
  gathered_bytes_ += job.bytes.size();
  gathered_.push_back(std::move(job));
  if (gathered_.size() >= jobs_together || gathered_bytes_ >= bytes_together) hand_over();
}

void ChainHasher::hand_over() {
  if (!worker_.joinable()) worker_ = std::thread{[this] { work(); }};
  std::unique_lock lock{mutex_};
  moved_.wait(lock, [this] { return bytes_waiting_ < bytes_waiting_max; });
  std::move(gathered_.begin(), gathered_.end(), std::back_inserter(jobs_));
  bytes_waiting_ += gathered_bytes_;
  lock.unlock();
  moved_.notify_one();
  gathered_.clear();
  gathered_bytes_ = 0;
}

void ChainHasher::work() {
  std::vector<Job> taken;
  for (;;) {
    std::size_t bytes = 0;
    for (const Job& job : taken) {
      if (job.kind == Kind::stop) return;
      take(job);
      bytes += job.bytes.size();
    }
    taken.clear();
    std::unique_lock lock{mutex_};
    bytes_waiting_ -= bytes;
    moved_.notify_one();
    moved_.wait(lock, [this] { return !jobs_.empty(); });
    taken.swap(jobs_);
  }
}

void ChainHasher::take(const Job& job) {
  switch (job.kind) {
    case Kind::restart:
      hash_.restart();
      hash_.add(job.digest.data(), job.digest.size());
      break;
    case Kind::add: hash_.add(job.bytes.data(), job.bytes.size()); break;
    case Kind::seal: {
      const Sha256Digest found = hash_.finish();
      hash_.add(found.data(), found.size());
      if (found == job.digest || !damage_.empty()) break;
      damage_ = "seal differs: a record of block " + std::to_string(job.block) +
                " was changed (segment " + std::to_string(job.segment) + ", offset " +
                std::to_string(job.offset) + ")";
      break;
    }
    case Kind::stop: break;
  }
}

}  // namespace gimbal
