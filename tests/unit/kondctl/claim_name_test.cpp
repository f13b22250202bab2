#include "kondctl/claim_name.hpp"

#include <gtest/gtest.h>

#include <set>

namespace konductor::kondctl::test {
namespace {

TEST(ClaimName, is_a_dns_label_for_names_of_every_length) {
  for (std::size_t length = 1; length <= 63; ++length) {
    std::string name(length, 'a');
    for (std::size_t i = 1; i + 1 < length; i += 2) name[i] = '-';
    const std::string claim = claim_name({"uid", {"ns", name}, ""});
    EXPECT_EQ(kube::why_not_dns_label(claim), "") << claim;
    EXPECT_EQ(claim.substr(0, 1), "a");
  }
}

TEST(ClaimName, differs_when_any_part_of_the_key_does) {
  const std::set<std::string> names{claim_name({"a", {"ns", "q"}, ""}),  claim_name({"b", {"ns", "q"}, ""}),
                                    claim_name({"a", {"nt", "q"}, ""}),  claim_name({"a", {"ns", "r"}, ""}),
                                    claim_name({"a", {"ns", "q"}, "s"}), claim_name({"as", {"ns", "q"}, ""}),
                                    claim_name({"an", {"s", "q"}, ""})};
  EXPECT_EQ(names.size(), 7U);
}

// Whoever asks again after an update of kondctl must find the same claim.
TEST(ClaimName, stays_what_it_always_was) {
  EXPECT_EQ(claim_name({"8a5e", {"team", "api-quota"}, ""}), "api-quota-e976c2aeb0ac3ff4f86d");
}

TEST(ClaimName, does_not_collide_for_ten_thousand_holders) {
  std::set<std::string> names;
  for (int i = 0; i < 10'000; ++i) names.insert(claim_name({std::to_string(i), {"team", "q"}, ""}));
  EXPECT_EQ(names.size(), 10'000U);
}

TEST(RandomSlot, has_sixteen_digits) {
  EXPECT_EQ(random_slot(0), "0000000000000000");
  EXPECT_EQ(random_slot(0xfedcba9876543210U), "fedcba9876543210");
}

}  // namespace
}  // namespace konductor::kondctl::test
