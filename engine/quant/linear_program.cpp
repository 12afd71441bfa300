#include "engine/quant/linear_program.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double tolerance = 1e-12;

// Basic variables as linear functions of the others: value = row[0] + sum of row[1 + j] other[j].
// The last row is the cost.
class Dictionary {
 public:
  Dictionary(const std::vector<double>& cost, const std::vector<Demand>& demands)
      : width_{cost.size()} {
    for (const Demand& d : demands) {
      std::vector<double> row{-d.least};
      row.insert(row.end(), d.share.begin(), d.share.end());
      rows_.push_back(std::move(row));
      basic_.push_back(width_ + basic_.size());
    }
    for (std::size_t i = 0; i < width_; ++i) {  // what is left of the 1
      std::vector<double> row(width_ + 1);
      row[0] = 1;
      row[1 + i] = -1;
      rows_.push_back(std::move(row));
      basic_.push_back(width_ + basic_.size());
    }
    std::vector<double> last{0};
    last.insert(last.end(), cost.begin(), cost.end());
    rows_.push_back(std::move(last));
    for (std::size_t i = 0; i < width_; ++i) other_.push_back(i);
  }

  // The basic variable that is furthest below 0; none: the count of them.
  [[nodiscard]] std::size_t leaving() const {
    std::size_t worst = basic_.size();
    double least = -tolerance;
    for (std::size_t r = 0; r < basic_.size(); ++r) {
      if (rows_[r][0] >= least) continue;
      least = rows_[r][0];
      worst = r;
    }
    return worst;
  }
  // The other variable that raises it at the least cost; none: the count of them.
  [[nodiscard]] std::size_t entering(std::size_t r) const {
    std::size_t best = width_;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < width_; ++j) {
      const double gain = rows_[r][1 + j];
      if (!(gain > tolerance)) continue;
      const double price = rows_.back()[1 + j] / gain;
      if (price >= least) continue;
      least = price;
      best = j;
    }
    return best;
  }
  void exchange(std::size_t r, std::size_t j) {
    std::vector<double>& pivot = rows_[r];
    const double inverse = 1.0 / pivot[1 + j];
    for (double& v : pivot) v *= -inverse;
    pivot[1 + j] = inverse;
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      if (k == r) continue;
      std::vector<double>& row = rows_[k];
      const double by = row[1 + j];
      if (by == 0) continue;
      row[1 + j] = 0;
      for (std::size_t i = 0; i <= width_; ++i) row[i] = math::fma(by, pivot[i], row[i]);
    }
    std::swap(basic_[r], other_[j]);
  }
  [[nodiscard]] std::size_t rows() const { return basic_.size(); }
  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::vector<double> point() const {
    std::vector<double> y(width_);
    for (std::size_t r = 0; r < basic_.size(); ++r) {
      if (basic_[r] < width_) y[basic_[r]] = std::clamp(rows_[r][0], 0.0, 1.0);
    }
    return y;
  }

 private:
  std::size_t width_;
  std::vector<std::vector<double>> rows_{};
  std::vector<std::size_t> basic_{};
  std::vector<std::size_t> other_{};
};

}  // namespace

std::optional<std::vector<double>> cheapest(const std::vector<double>& cost,
                                            const std::vector<Demand>& demands) {
  Dictionary d{cost, demands};
  for (std::size_t left = 50 * (d.rows() + d.width() + 1); left > 0; --left) {
    const std::size_t r = d.leaving();
    if (r == d.rows()) return d.point();
    const std::size_t j = d.entering(r);
    if (j == d.width()) return std::nullopt;
    d.exchange(r, j);
  }
  return std::nullopt;
}

}  // namespace gimbal::quant
