#include "base/error.hpp"

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace konductor {
namespace {

std::vector<Errc> all_codes() {
  std::vector<Errc> codes;
  for (int value = 1; value <= static_cast<int>(Errc::cancelled); ++value) codes.push_back(static_cast<Errc>(value));
  return codes;
}

TEST(Error, has_a_word_of_its_own_for_each_code) {
  std::set<std::string> words;
  for (const Errc code : all_codes()) words.emplace(to_string(code));
  EXPECT_EQ(words.size(), all_codes().size());
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_EQ(to_string(static_cast<Errc>(99)), "unknown");
}

TEST(Error, converts_to_an_error_code_of_a_category_with_a_fixed_id) {
  const boost::system::error_code code = Errc::conflict;
  EXPECT_EQ(code.value(), 2);
  EXPECT_EQ(code.message(), "conflict");
  EXPECT_EQ(code.category(), konductor_category());
  // A second copy of the category, as another shared object would have it, must be the same category.
  struct Copy final : boost::system::error_category {
    Copy() : error_category(0x6b6f6e647563746fULL) {}
    [[nodiscard]] const char* name() const noexcept override { return "copy"; }
    [[nodiscard]] std::string message(int) const override { return {}; }
  };
  EXPECT_EQ(Copy{}, konductor_category());
}

TEST(Error, is_retryable_only_where_time_alone_can_help) {
  const std::set<Errc> retryable = {Errc::unavailable, Errc::timeout, Errc::too_many_requests};
  for (const Errc code : all_codes()) EXPECT_EQ(is_retryable(code), retryable.contains(code)) << to_string(code);
}

TEST(Error, travels_in_a_result_and_is_thrown_by_value) {
  const Result<int> result = Error{Errc::forbidden, "no"};
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().detail, "no");
  try {
    result.value();
    FAIL() << "value() of an error must throw";
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::forbidden));
    EXPECT_NE(std::string(error.what()).find("no"), std::string::npos);
  }
}

}  // namespace
}  // namespace konductor
