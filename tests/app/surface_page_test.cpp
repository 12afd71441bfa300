// The page of a fitted chain.
#include "ops/app/surface_page.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace gimbal {
namespace {

bool has_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Two expiries with a smile, one with two strikes only.
std::string chain() {
  std::string csv = "type,F,K,T,iv,expiry\n";
  const auto expiry = [&csv](const char* name, double years, int strikes) {
    for (int i = 0; i < strikes; ++i) {
      const double strike = 70'000 + 5'000.0 * i;
      const double k = std::log(strike / 100'000);
      csv += "C,100000," + std::to_string(strike) + "," + std::to_string(years) + "," +
             std::to_string(0.6 - 0.1 * k + 0.3 * k * k) + "," + name + "\n";
    }
  };
  expiry("MONTH", 0.08, 13);
  expiry("<QUARTER>", 0.25, 13);
  expiry("THIN", 0.5, 2);
  return csv;
}

TEST(SurfacePage, ShowsEachExpiryItsVerdictAndItsCurveAndNeedsNoNetwork) {
  CsvOutcome out;
  const auto expiries = surface_expiries(chain(), {}, out);
  ASSERT_TRUE(out.usable);
  ASSERT_EQ(expiries.size(), 3U);
  const std::string page = surface_page("A chain & more", expiries, true);
  for (const char* part : {"<!doctype html>", "A chain &amp; more", "MONTH", "&lt;QUARTER&gt;",
                           "accepted", "2 of 3 expiries", "too_few", "<circle", "</html>"}) {
    EXPECT_TRUE(has_text(page, part)) << part;
  }
  for (const char* outside : {"http:", "https:", "src=", "<script", "nan", "<QUARTER>"}) {
    EXPECT_FALSE(has_text(page, outside)) << outside;
  }
  EXPECT_FALSE(has_text(surface_page("", expiries, false), "<circle")) << "curves only";
}

}  // namespace
}  // namespace gimbal
