#include "kondctl/identity.hpp"

#include <gtest/gtest.h>

namespace konductor::kondctl::test {
namespace {

// {"kubernetes.io":{"namespace":"team","pod":{"name":"worker-7","uid":"u-7"},"serviceaccount":{"name":"default","uid":"s"}}}
const std::string bound_token =
    "eyJhbGciOiJub25lIn0."
    "eyJrdWJlcm5ldGVzLmlvIjp7Im5hbWVzcGFjZSI6InRlYW0iLCJwb2QiOnsibmFtZSI6Indvcmtlci03IiwidWlkIjoidS03In0s"
    "InNlcnZpY2VhY2NvdW50Ijp7Im5hbWUiOiJkZWZhdWx0IiwidWlkIjoicyJ9fX0"
    ".c2ln";

Surroundings outside() {
  Surroundings found;
  found.user = "tester";
  found.host = "here";
  found.random = 42;
  return found;
}

TEST(Identity, is_the_pod_that_the_token_is_bound_to) {
  Surroundings found = outside();
  found.token = bound_token;
  found.pod_name = "another";
  found.pod_uid = "u-other";
  const auto who = identify(found, std::nullopt, "");
  ASSERT_TRUE(who);
  ASSERT_TRUE(who->pod);
  EXPECT_EQ(who->pod->name, "worker-7");
  EXPECT_EQ(who->pod->uid, "u-7");
  EXPECT_EQ(who->pod_namespace, "team");
  EXPECT_EQ(who->key, "u-7");
  EXPECT_TRUE(who->lasting);
}

TEST(Identity, is_the_pod_of_the_environment_where_the_token_says_nothing) {
  Surroundings found = outside();
  found.token = "opaque";
  found.pod_name = "worker-8";
  found.pod_uid = "u-8";
  found.pod_namespace = "team";
  const auto who = identify(found, std::nullopt, "second");
  ASSERT_TRUE(who);
  ASSERT_TRUE(who->pod);
  EXPECT_EQ(who->pod->uid, "u-8");
  EXPECT_EQ(who->slot, "second");
}

TEST(Identity, refuses_half_a_pod) {
  Surroundings found = outside();
  found.pod_name = "worker-8";
  const auto who = identify(found, std::nullopt, "");
  ASSERT_FALSE(who);
  EXPECT_EQ(who.error().code, Errc::bad_config);
  EXPECT_NE(who.error().detail.find("POD_UID"), std::string::npos);
}

TEST(Identity, is_another_one_each_time_outside_of_pods) {
  Surroundings second = outside();
  second.random = 43;
  const auto left = identify(outside(), std::nullopt, "");
  const auto right = identify(second, std::nullopt, "");
  ASSERT_TRUE(left);
  ASSERT_TRUE(right);
  EXPECT_EQ(left->holder, "tester@here");
  EXPECT_EQ(left->key, right->key);
  EXPECT_NE(left->slot, right->slot);
  EXPECT_FALSE(left->lasting);
  EXPECT_FALSE(left->pod);
}

TEST(Identity, is_the_same_each_time_with_a_holder) {
  Surroundings second = outside();
  second.random = 43;
  const auto left = identify(outside(), "ci-77", "");
  const auto right = identify(second, "ci-77", "");
  ASSERT_TRUE(left);
  ASSERT_TRUE(right);
  EXPECT_EQ(left->key, right->key);
  EXPECT_EQ(left->slot, right->slot);
  EXPECT_TRUE(left->lasting);
  EXPECT_EQ(left->holder, "ci-77");
}

TEST(Identity, is_never_a_pods_by_its_holder_text) {
  Surroundings found = outside();
  found.token = bound_token;
  const auto who = identify(found, "u-7", "");
  ASSERT_TRUE(who);
  EXPECT_FALSE(who->pod);
  EXPECT_NE(who->key, "u-7");
}

}  // namespace
}  // namespace konductor::kondctl::test
