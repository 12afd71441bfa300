// Named counters with one writing thread, read by the cold thread. Hot: add() is a load and a
// store, no locked instruction. One `Counters` object per writing thread; names are registered at
// start.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gimbal {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  void raise_to(std::uint64_t n) noexcept {
    if (n > value_.load(std::memory_order_relaxed)) set(n);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Counters {
 public:
  static constexpr std::size_t counters_max = 128;

  // `owner` prefixes every name: "core", "feed0".
  explicit Counters(std::string owner)
      : owner_{std::move(owner)},
        names_{std::make_unique<std::string[]>(counters_max)},
        values_{std::make_unique<Lines>()} {}

  // Cold, at start, before the reader runs. The same name gives the same counter. Past
  // counters_max every name shares the last slot, named "overflow".
  Counter& add(std::string_view name) {
    for (std::size_t i = 0; i < size_; ++i) {
      if (names_[i] == name) return values_->at[i];
    }
    if (size_ == counters_max) return values_->at[counters_max - 1];
    names_[size_] = size_ == counters_max - 1 ? std::string{"overflow"} : std::string{name};
    return values_->at[size_++];
  }
  // Cold: use(owner, name, value).
  template <class Use>
  void each(Use&& use) const {
    for (std::size_t i = 0; i < size_; ++i) {
      use(std::string_view{owner_}, std::string_view{names_[i]}, values_->at[i].value());
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct alignas(64) Lines {
    Counter at[counters_max];
  };
  std::string owner_;
  std::unique_ptr<std::string[]> names_;
  std::unique_ptr<Lines> values_;
  std::size_t size_{0};
};

}  // namespace gimbal
