#include "runtime/claim_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const kube::NamespacedName widget{"ns", "w"};

Claim claim(const std::string& name, std::uint64_t rv, const std::string& uid = {}) {
  Claim made;
  made.name = {"ns", name};
  made.key = "ns/" + name;
  made.uid = uid.empty() ? "uid-" + name : uid;
  made.rv = rv;
  made.resource_version = std::to_string(rv);
  made.primitive = widget;
  return made;
}

std::vector<std::string> keys_of(const ClaimView& view) {
  std::vector<std::string> keys;
  for (const auto* one : view.of(widget)) keys.push_back(one->claim.key);
  return keys;
}

ClaimView listed(const std::vector<Claim>& claims, std::uint64_t rv) {
  ClaimView view;
  view.begin();
  for (const auto& one : claims) view.apply(one);
  view.synced(rv);
  return view;
}

TEST(ClaimView, is_complete_only_once_the_list_is) {
  ClaimView view;
  view.begin();
  view.apply(claim("a", 90));
  view.progress(95);
  EXPECT_EQ(view.rv(), 0U);
  EXPECT_FALSE(view.is_synced());
  view.synced(100);
  EXPECT_EQ(view.rv(), 100U);
  view.apply(claim("b", 103));
  EXPECT_EQ(view.rv(), 103U);
  view.progress(110);
  EXPECT_EQ(view.rv(), 110U);
  view.progress(105);
  EXPECT_EQ(view.rv(), 110U) << "it never goes back";
}

TEST(ClaimView, orders_by_priority_then_age_then_name) {
  auto old = claim("z", 1);
  old.asked_at = 1;
  auto young = claim("b", 2);
  young.asked_at = 2;
  auto same = claim("a", 3);
  same.asked_at = 2;
  auto first = claim("y", 4);
  first.asked_at = 9;
  first.priority = 5;
  EXPECT_THAT(keys_of(listed({old, young, same, first}, 10)), ElementsAre("ns/y", "ns/z", "ns/a", "ns/b"));
}

TEST(ClaimView, keeps_the_newest_state_whichever_way_it_came) {
  auto view = listed({claim("a", 50)}, 60);
  view.lay_over(claim("a", 70));
  EXPECT_EQ(view.rv(), 60U) << "an own write says nothing about other claims";
  EXPECT_EQ(view.apply(claim("a", 65)).applied, nullptr);
  EXPECT_EQ(view.find("ns/a")->rv, 70U);
  EXPECT_EQ(view.apply(claim("a", 70)).applied, nullptr) << "the echo is nothing new";
  EXPECT_EQ(view.rv(), 70U);
}

TEST(ClaimView, keeps_what_a_list_is_too_old_to_show) {
  auto view = listed({claim("a", 50), claim("b", 51)}, 60);
  view.lay_over(claim("c", 75));
  view.begin();
  view.apply(claim("a", 50));
  const auto change = view.synced(70);
  EXPECT_THAT(change.gone, ElementsAre("uid-b"));
  EXPECT_THAT(keys_of(view), ElementsAre("ns/a", "ns/c"));
}

TEST(ClaimView, does_not_revive_what_the_watch_has_told_the_end_of) {
  auto view = listed({claim("a", 50)}, 60);
  view.remove(claim("a", 80));
  EXPECT_EQ(view.lay_over(claim("a", 70)).applied, nullptr);
  view.apply(claim("a", 90, "next"));
  EXPECT_EQ(view.lay_over(claim("a", 70)).applied, nullptr);
  EXPECT_EQ(view.find("ns/a")->uid, "next");
}

TEST(ClaimView, does_not_revive_what_was_buried) {
  auto view = listed({claim("a", 50)}, 60);
  EXPECT_THAT(view.bury("ns/a", "uid-a").gone, ElementsAre("uid-a"));
  EXPECT_EQ(view.apply(claim("a", 70)).applied, nullptr);
  EXPECT_EQ(view.lay_over(claim("a", 71)).applied, nullptr);
  EXPECT_THAT(view.remove(claim("a", 80)).primitives, ElementsAre(widget)) << "who waits for that looks again";
  EXPECT_NE(view.apply(claim("a", 81, "next")).applied, nullptr);
  EXPECT_THAT(view.bury("ns/a", "uid-a").gone, IsEmpty()) << "another one has that name";
}

TEST(ClaimView, replaces_a_claim_that_was_made_again_under_its_name) {
  auto view = listed({claim("a", 50)}, 60);
  const auto change = view.apply(claim("a", 70, "next"));
  EXPECT_THAT(change.gone, ElementsAre("uid-a"));
  ASSERT_NE(change.applied, nullptr);
  EXPECT_EQ(change.applied->claim.uid, "next");
  EXPECT_THAT(view.remove(claim("a", 69)).gone, IsEmpty()) << "the end of the former one";
}

TEST(ClaimView, finds_the_claims_of_a_pod) {
  auto with_pod = claim("a", 50);
  with_pod.pod_uid = "u";
  auto other = claim("b", 51);
  other.pod_uid = "v";
  auto view = listed({with_pod, other}, 60);
  ASSERT_EQ(view.of_pod("u").size(), 1U);
  EXPECT_EQ(view.of_pod("u")[0]->claim.key, "ns/a");
  view.remove(claim("a", 61));
  EXPECT_THAT(view.of_pod("u"), IsEmpty());
}

}  // namespace
}  // namespace konductor::runtime
