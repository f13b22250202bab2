#include "runtime/primitive_status.hpp"

#include "tests/support/objects.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace konductor::runtime {
namespace {

using nlohmann::json;
using test::Widget;

const WallTime noon{std::chrono::seconds{3000}};

Primitive primitive(json status) {
  auto parsed = parse_primitive(std::make_shared<const json>(Widget{.status = std::move(status)}.object()));
  return *parsed;
}

json after(const json& status, const json& patch) {
  json stored = status;
  stored.merge_patch(patch);
  return stored;
}

json state_after(const json& state, const std::string& wanted) {
  const json status = {{"state", state}};
  const NewState next{wanted, noon};
  const auto request = record(test::widgets(), primitive(status), nullptr, &next, {});
  return after(status, json::parse(request.body)["status"])["state"];
}

TEST(PrimitiveStatus, written_once_differs_no_more) {
  ShownStatus shown;
  shown.fields = R"({"inUse": 3, "detail": {"a": 1, "b": null}, "gone": null})";
  shown.conditions = {{"Ready", ConditionStatus::true_, "Serving", "serves"}};
  shown.with_holders = true;
  shown.holders = {{"ns/a", "me", 2, "1970-01-01T00:50:00.000001Z"}};
  const json old = {{"detail", {{"b", 7}}}, {"gone", 1}, {"inUse", 1}};
  const auto first = difference(primitive(old), shown, noon);
  EXPECT_FALSE(first.empty());
  const auto stored = after(old, *first.status);
  EXPECT_FALSE(stored.contains("gone"));
  EXPECT_EQ(stored["detail"], json({{"a", 1}}));
  const auto second = difference(primitive(stored), shown, noon + std::chrono::hours{1});
  EXPECT_TRUE(second.empty()) << *second.status;
  EXPECT_FALSE(second.urgent);
}

TEST(PrimitiveStatus, is_urgent_where_a_phase_or_a_condition_changes_and_not_for_counts) {
  ShownStatus shown;
  shown.fields = R"({"phase": "Ready", "inUse": 3})";
  shown.conditions = {{"Ready", ConditionStatus::true_, "Serving", "serves"}};
  const auto stored = after(json::object(), *difference(primitive(json::object()), shown, noon).status);
  auto counts = shown;
  counts.fields = R"({"phase": "Ready", "inUse": 4})";
  EXPECT_FALSE(difference(primitive(stored), counts, noon).urgent);
  auto phase = shown;
  phase.fields = R"({"phase": "Paused", "inUse": 3})";
  EXPECT_TRUE(difference(primitive(stored), phase, noon).urgent);
  auto condition = shown;
  condition.conditions[0].status = ConditionStatus::false_;
  EXPECT_TRUE(difference(primitive(stored), condition, noon).urgent);
}

TEST(PrimitiveStatus, keeps_other_conditions_and_the_time_of_unchanged_ones) {
  ShownStatus shown;
  shown.conditions = {{"Ready", ConditionStatus::true_, "Serving", "now in other words"}};
  const json ready = {{"type", "Ready"}, {"status", "True"}, {"reason", "Serving"}, {"lastTransitionTime", "then"}};
  const json other = {{"type", "Other"}, {"status", "True"}};
  const auto differs = difference(primitive({{"conditions", {other, ready}}}), shown, noon);
  const auto& conditions = (*differs.status)["conditions"];
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions[0], other);
  EXPECT_EQ(conditions[1]["lastTransitionTime"], "then");
  EXPECT_EQ(conditions[1]["message"], "now in other words");
}

TEST(PrimitiveStatus, does_not_write_a_holder_again_because_it_was_told_a_moment_later) {
  ShownStatus shown;
  shown.with_holders = true;
  shown.holders = {{"ns/a", "me", 2, "1970-01-01T00:50:00.000001Z"}};
  const auto stored = after(json::object(), *difference(primitive(json::object()), shown, noon).status);
  shown.holders[0].since = "1970-01-01T00:50:01.000000Z";
  EXPECT_TRUE(difference(primitive(stored), shown, noon).empty());
  shown.holders[0].since = "1970-01-01T00:51:00.000000Z";
  EXPECT_FALSE(difference(primitive(stored), shown, noon).empty()) << "that is another grant";
  shown.holders[0].since = "";
  EXPECT_TRUE(difference(primitive(stored), shown, noon + std::chrono::hours{1}).empty()) << "as it is shown already";
}

TEST(PrimitiveStatus, shows_the_selector_of_a_scale_once_and_without_haste) {
  auto kind = test::widgets();
  EXPECT_EQ(scale_selector(kind, {"ns", "w"}), "");
  kind.scale = {"spec.limit", "status.limit"};
  ShownStatus shown;
  shown.selector = scale_selector(kind, {"ns", "w"});
  EXPECT_EQ(shown.selector, "sync.konductor.io/widget=w");
  const json observed = {{"observedGeneration", 1}, {"conditions", json::array()}};
  const auto differs = difference(primitive(observed), shown, noon);
  EXPECT_EQ(*differs.status, json({{"selector", "sync.konductor.io/widget=w"}}));
  EXPECT_FALSE(differs.urgent);
  EXPECT_TRUE(difference(primitive(after(observed, *differs.status)), shown, noon).empty());
}

TEST(PrimitiveState, is_replaced_as_a_whole) {
  EXPECT_EQ(state_after({{"a", 1}, {"b", 2}}, R"({"b": 3})"), json({{"b", 3}}));
  EXPECT_EQ(state_after({{"round", {{"p1", true}, {"p2", true}}}}, R"({"round": {"p3": true}})"),
            json({{"round", {{"p3", true}}}}));
  EXPECT_EQ(state_after({{"round", {{"p1", true}}}}, R"({"round": {}})"), json({{"round", json::object()}}));
  EXPECT_EQ(state_after({{"list", {1, 2}}}, R"({"list": [3]})"), json({{"list", {3}}}));
}

TEST(PrimitiveState, changes_only_where_its_meaning_does) {
  const auto stored = primitive({{"state", {{"a", 1}, {"b", {{"c", 2}}}}}});
  EXPECT_FALSE(changes_state(stored, R"({ "b": {"c": 2}, "a": 1 })"));
  EXPECT_FALSE(changes_state(stored, R"({"a": 1, "b": {"c": 2}, "d": null})"));
  EXPECT_TRUE(changes_state(stored, R"({"a": 1, "b": {}})"));
  EXPECT_TRUE(changes_state(stored, R"({"a": 1})"));
  EXPECT_FALSE(changes_state(primitive(json::object()), "{}"));
}

TEST(Record, carries_the_version_and_the_uid_it_was_decided_on) {
  const Ledger ledger{5, "9", {}};
  const auto request = record(test::widgets(), primitive(json::object()), &ledger, nullptr, {});
  EXPECT_EQ(request.method, kube::Method::patch);
  EXPECT_EQ(request.target, "/apis/sync.konductor.io/v1/namespaces/ns/widgets/w/status");
  EXPECT_EQ(request.content_type, "application/merge-patch+json");
  const auto patch = json::parse(request.body);
  EXPECT_EQ(patch["metadata"], json({{"resourceVersion", "100"}, {"uid", "w-1"}}));
  EXPECT_EQ(patch["status"]["ledger"], to_json(ledger));
}

}  // namespace
}  // namespace konductor::runtime
