#include "kube/object_meta.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <random>
#include <string>

namespace konductor::kube {
namespace {

using nlohmann::json;

constexpr const char* full = R"({"metadata":{"name":"x","namespace":"team-a","uid":"u-1","resourceVersion":"7",
  "generation":3,"creationTimestamp":"2024-01-15T10:30:00Z","deletionTimestamp":"2024-01-15T10:31:00Z",
  "labels":{"app":"q"},"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u-2","controller":true},
  {"apiVersion":"v1","kind":"Pod","name":"r","uid":"u-3"}]}})";

TEST(ObjectMeta, reads_all_fields) {
  const auto meta = parse_meta(json::parse(full));
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->key(), (NamespacedName{"team-a", "x"}));
  EXPECT_EQ(meta->uid, "u-1");
  EXPECT_EQ(meta->resource_version, "7");
  EXPECT_EQ(meta->generation, 3);
  EXPECT_EQ(to_rfc3339(meta->creation), "2024-01-15T10:30:00Z");
  EXPECT_TRUE(meta->deleting);
  EXPECT_EQ(meta->labels.at("app"), "q");
  ASSERT_EQ(meta->owner_references.size(), 2U);
  EXPECT_EQ(meta->owner_references[0], (OwnerReference{"v1", "Pod", "p", "u-2", true}));
  EXPECT_FALSE(meta->owner_references[1].controller);
}

TEST(ObjectMeta, leaves_absent_and_null_fields_at_their_defaults) {
  const auto meta = parse_meta(json::parse(
      R"({"metadata":{"name":"x","labels":null,"ownerReferences":null,"deletionTimestamp":null,"generation":null}})"));
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->ns, "");
  EXPECT_EQ(meta->generation, 0);
  EXPECT_FALSE(meta->deleting);
  EXPECT_TRUE(meta->labels.empty());
}

TEST(ObjectMeta, names_the_field_that_is_wrong) {
  const struct {
    const char* object;
    const char* detail;
  } cases[] = {
      {"null", "the server sent an object without metadata"},
      {"[]", "the server sent an object without metadata"},
      {"{}", "the server sent an object without metadata"},
      {R"({"metadata":[]})", "the server sent an object without metadata"},
      {R"({"metadata":{}})", "the server sent an object whose metadata.name is not there"},
      {R"({"metadata":{"name":7}})", "the server sent an object whose metadata.name is not a string"},
      {R"({"metadata":{"name":"x","namespace":"n","uid":{}}})",
       "the server sent object n/x whose metadata.uid is not a string"},
      {R"({"metadata":{"name":"x","generation":1.5}})",
       "the server sent object x whose metadata.generation is not an integer"},
      {R"({"metadata":{"name":"x","generation":18446744073709551615}})",
       "the server sent object x whose metadata.generation is not an integer"},
      {R"({"metadata":{"name":"x","creationTimestamp":"soon"}})",
       "the server sent object x whose metadata.creationTimestamp is not a time"},
      {R"({"metadata":{"name":"x","labels":[]}})", "the server sent object x whose metadata.labels is not an object"},
      {R"({"metadata":{"name":"x","labels":{"a":1}}})",
       "the server sent object x whose metadata.labels is not an object of strings"},
      {R"({"metadata":{"name":"x","ownerReferences":{}}})",
       "the server sent object x whose metadata.ownerReferences is not an array"},
      {R"({"metadata":{"name":"x","ownerReferences":[1]}})",
       "the server sent object x whose metadata.ownerReferences is not an array of objects"},
      {R"({"metadata":{"name":"x","ownerReferences":[{"uid":1}]}})",
       "the server sent object x whose metadata.ownerReferences is not as expected: ownerReferences.uid is not a "
       "string"},
      {R"({"metadata":{"name":"x","ownerReferences":[{"controller":"yes"}]}})",
       "the server sent object x whose metadata.ownerReferences is not as expected: ownerReferences.controller is not "
       "a boolean"},
  };
  for (const auto& c : cases) {
    const auto meta = parse_meta(json::parse(c.object));
    ASSERT_FALSE(meta.has_value()) << c.object;
    EXPECT_EQ(meta.error().code, Errc::protocol_violation);
    EXPECT_EQ(meta.error().detail, c.detail);
  }
}

TEST(ObjectMeta, survives_any_json) {
  std::mt19937 random(5);
  int good = 0;
  int bad = 0;
  for (int round = 0; round < 30000; ++round) {
    const json object = json::parse(mutated(full, random), nullptr, false);
    if (object.is_discarded()) continue;
    const auto meta = parse_meta(object);
    ++(meta ? good : bad);
    EXPECT_TRUE(!meta || !meta->name.empty());
  }
  EXPECT_GT(good, 100);
  EXPECT_GT(bad, 10);
}

}  // namespace
}  // namespace konductor::kube
