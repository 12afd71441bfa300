// Latency histogram of fixed memory (9 kB): 32 buckets per octave, so a quantile is at most 3.2 %
// above the truth; exact below 32. Values over 2^40 ns (18 minutes) count in the last bucket; max,
// count and sum are exact. Single writer; merge and read on the same thread (the cold one).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gimbal {

class Histogram {
 public:
  static constexpr int fine_bits = 5;
  static constexpr int value_bits = 40;
  static constexpr std::uint64_t fine = 1u << fine_bits;
  static constexpr std::size_t buckets =
      static_cast<std::size_t>(fine) * static_cast<std::size_t>(value_bits - fine_bits + 1);

  void add(std::uint64_t value, std::uint64_t times = 1) noexcept {
    if (times == 0) return;
    counts_[bucket_of(value)] += times;
    count_ += times;
    sum_ += value * times;
    if (value > max_) max_ = value;
    if (value < min_) min_ = value;
  }
  void merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    if (other.max_ > max_) max_ = other.max_;
    if (other.min_ < min_) min_ = other.min_;
  }
  void clear() noexcept { *this = Histogram{}; }

  // Smallest bucket bound that at least `q` (0..1) of the values do not exceed; 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double q) const noexcept {
    if (count_ == 0) return 0;
    const double wanted = q * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
      seen += counts_[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) {
        return upper_of(i) < max_ ? upper_of(i) : max_;
      }
    }
    return max_;
  }
  [[nodiscard]] std::uint64_t p50() const noexcept { return quantile(0.50); }
  [[nodiscard]] std::uint64_t p90() const noexcept { return quantile(0.90); }
  [[nodiscard]] std::uint64_t p99() const noexcept { return quantile(0.99); }
  [[nodiscard]] std::uint64_t p999() const noexcept { return quantile(0.999); }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }
  // How many values are in buckets whose largest value is at most `value`: at most 3.2 % of the
  // bound too few values are counted.
  [[nodiscard]] std::uint64_t count_at_most(std::uint64_t value) const noexcept {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets && upper_of(i) <= value; ++i) seen += counts_[i];
    return seen;
  }

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < fine) return static_cast<std::size_t>(value);
    if (value >> value_bits != 0) return buckets - 1;
    const int octave = static_cast<int>(std::bit_width(value)) - 1 - fine_bits;
    return static_cast<std::size_t>(octave) * fine + static_cast<std::size_t>(value >> octave);
  }
  // Largest value that falls into bucket `i`.
  static constexpr std::uint64_t upper_of(std::size_t i) noexcept {
    if (i < fine) return i;
    const std::uint64_t octave = i / fine - 1;
    const std::uint64_t mantissa = fine + i % fine;
    return ((mantissa + 1) << octave) - 1;
  }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_{0};
  std::uint64_t sum_{0};
  std::uint64_t max_{0};
  std::uint64_t min_{UINT64_MAX};
};

}  // namespace gimbal
