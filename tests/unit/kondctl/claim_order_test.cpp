#include "kondctl/claim_order.hpp"

#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;

const kube::WallTime now = *kube::parse_rfc3339("2024-01-15T10:30:00Z");

json ticket(const std::string& name, int priority) {
  return {{"metadata",
           {{"name", name},
            {"namespace", "team"},
            {"uid", "uid-" + name},
            {"resourceVersion", "7"},
            {"creationTimestamp", "2024-01-15T10:29:15Z"}}},
          {"spec", {{"widget", "q"}, {"size", 1}, {"priority", priority}}}};
}

const json widget = {{"metadata",
                      {{"name", "q"},
                       {"namespace", "team"},
                       {"uid", "w"},
                       {"resourceVersion", "5"},
                       {"generation", 1},
                       {"creationTimestamp", "2024-01-15T10:00:00Z"}}},
                     {"spec", {{"size", 1}}}};

ShownClaims waiting(const runtime::KindDeclaration& kind) {
  return sorted_claims({ticket("a", 3), ticket("b", 2), ticket("c", 1), ticket("d", 0)}, kind, "q");
}

std::vector<std::string> names(const ShownClaims& claims) {
  std::vector<std::string> all;
  for (const ShownClaim& shown : claims.waiting) all.push_back(shown.view.claim.name.name);
  return all;
}

/// Speaks of the claims by these indexes, in this order.
runtime::KindDeclaration speaking_of(std::vector<std::size_t> order) {
  auto kind = widget_kind();
  kind.decide = [order](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    for (const std::size_t index : order) {
      if (index >= seen.claims.size()) return Error{Errc::invalid, "no such claim", 0};
      const auto verdict = plan.verdicts.empty() ? runtime::VerdictKind::grant : runtime::VerdictKind::wait;
      plan.verdicts.push_back({index, verdict, {}, {}, 0});
    }
    return plan;
  };
  return kind;
}

TEST(ClaimOrder, is_that_in_which_the_plugin_speaks_of_them) {
  const auto kind = speaking_of({3, 0, 2, 1});
  auto claims = waiting(kind);
  EXPECT_THAT(names(claims), ElementsAre("a", "b", "c", "d"));
  order_as_decided(claims, kind, widget, now);
  EXPECT_THAT(names(claims), ElementsAre("d", "a", "c", "b"));
}

TEST(ClaimOrder, puts_those_of_whom_the_plugin_says_nothing_behind_the_others) {
  const auto kind = speaking_of({2});
  auto claims = waiting(kind);
  order_as_decided(claims, kind, widget, now);
  EXPECT_THAT(names(claims), ElementsAre("c", "a", "b", "d"));
}

TEST(ClaimOrder, stays_as_it_is_where_the_plugin_cannot_decide) {
  auto kind = speaking_of({17});
  auto claims = waiting(kind);
  order_as_decided(claims, kind, widget, now);
  EXPECT_THAT(names(claims), ElementsAre("a", "b", "c", "d"));
  order_as_decided(claims, speaking_of({3}), json::object(), now);
  EXPECT_THAT(names(claims), ElementsAre("a", "b", "c", "d")) << "a primitive that can't be read";
  kind.decide = nullptr;
  order_as_decided(claims, kind, widget, now);
  EXPECT_THAT(names(claims), ElementsAre("a", "b", "c", "d"));
}

TEST(ClaimOrder, shows_the_plugin_who_holds_and_what_time_it_is) {
  auto kind = widget_kind();
  std::size_t holding = 0;
  std::int64_t time = 0;
  kind.decide = [&](const runtime::Observation& seen) -> Result<runtime::Plan> {
    for (const auto& claim : seen.claims) holding += claim.state == runtime::ClaimState::granted ? 1 : 0;
    time = seen.now;
    return runtime::Plan{};
  };
  auto held = ticket("held", 9);
  held["status"] = {{"phase", "Granted"}, {"token", 4}, {"units", 1}};
  auto claims = sorted_claims({held, ticket("a", 0)}, kind, "q");
  order_as_decided(claims, kind, widget, now);
  EXPECT_EQ(holding, 1U);
  EXPECT_EQ(time, now.time_since_epoch().count());
}

TEST(ClaimOrder, names_the_place_in_line) {
  auto held = ticket("held", 9);
  held["status"] = {{"phase", "Granted"}, {"token", 4}, {"units", 1}};
  const json list = {{"items", {held, ticket("a", 3), ticket("b", 2), ticket("c", 1)}}};
  const auto kind = speaking_of({3, 1, 2});
  EXPECT_EQ(place_in_line(list, kind, widget, "uid-c", now), "1 of 3 in line");
  EXPECT_EQ(place_in_line(list, kind, widget, "uid-b", now), "3 of 3 in line");
  EXPECT_EQ(place_in_line(list, kind, widget, "uid-held", now), "");
  EXPECT_EQ(place_in_line(list, kind, widget, "of nobody", now), "");
  EXPECT_EQ(place_in_line(json::object(), kind, widget, "uid-c", now), "");
}

}  // namespace
}  // namespace konductor::kondctl::test
