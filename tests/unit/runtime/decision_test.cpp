#include "runtime/decision.hpp"

#include "tests/support/objects.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace konductor::runtime {
namespace {

using test::Ticket;
using test::Widget;

/// Judges the given tickets of one widget.
struct Table {
  explicit Table(const std::vector<Ticket>& tickets, Widget widget = {}) {
    primitive = *parse_primitive(std::make_shared<const nlohmann::json>(widget.object()));
    view.begin();
    for (const auto& ticket : tickets) view.apply(*parse_claim(ticket.object(), kind));
    view.synced(1000);
  }
  Result<Decision> decide(const Ledger& ledger = {}, std::uint32_t most = 10, std::uint32_t max_claims = 100) {
    return runtime::decide({.kind = kind,
                            .primitive = primitive,
                            .claims = view.of(primitive.name),
                            .ledger = ledger,
                            .max_grants = most,
                            .max_claims = max_claims,
                            .now = WallTime{std::chrono::seconds{3000}},
                            .observed = {},
                            .may_be_served = [this](const KnownClaim& known) { return known.claim.key != left_out; },
                            .deadline = [](const KnownClaim&) { return std::int64_t{0}; }});
  }
  KindDeclaration kind = test::widgets();
  Primitive primitive;
  ClaimView view;
  std::string left_out;
};

TEST(Decision, counts_what_is_held_by_claims_and_by_the_ledger_once) {
  Table table({{.name = "held", .status = test::granted(1, 2)}, {.name = "told"}, {.name = "waits"}}, {.limit = 10});
  const Ledger ledger{9, "1", {{"ns/told", "uid-told", 3, 9, "105"}, {"ns/unseen", "uid-unseen", 4, 8, "105"}}};
  const auto decision = table.decide(ledger);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->holding, 3U);
  EXPECT_EQ(decision->waiting, 1U);
  EXPECT_EQ(decision->grants, 1U);
  EXPECT_EQ(nlohmann::json::parse(*decision->plan.status)["inUse"], 2 + 3 + 4 + 1);
}

TEST(Decision, shows_no_more_ended_ones_than_the_bound_where_claims_are_counted_and_takes_none_for_a_holder) {
  const nlohmann::json denied = {{"phase", "Denied"}};
  Table table({{.name = "a", .status = denied}, {.name = "b", .status = denied}, {.name = "c"}});
  table.kind = test::counting_widgets();
  table.kind.participant_field.clear();
  const auto decision = table.decide({}, 10, 1);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->claims.size(), 2U) << "one that has ended, and one that waits";
  EXPECT_EQ(decision->holding, 0U);
  EXPECT_EQ(decision->waiting, 1U);
}

TEST(Decision, leaves_out_what_has_ended_and_what_may_not_be_served) {
  Table table({{.name = "ended", .status = {{"phase", "Expired"}}}, {.name = "dying"}}, {.limit = 10});
  table.left_out = "ns/dying";
  const auto decision = table.decide();
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->holding + decision->waiting, 0U);
  EXPECT_TRUE(decision->unserved.empty());
}

TEST(Decision, shows_what_has_ended_to_a_kind_that_counts) {
  Table table({{.name = "ended", .status = {{"phase", "Expired"}}}});
  table.kind.mode = Mode::counted;
  std::size_t seen = 0;
  table.kind.decide = [&](const Observation& observation) -> Result<Plan> {
    seen = observation.claims.size();
    return Plan{};
  };
  ASSERT_TRUE(table.decide());
  EXPECT_EQ(seen, 1U);
}

TEST(Decision, is_complete_only_below_the_bound_on_grants) {
  Table table({{.name = "a"}, {.name = "b"}}, {.limit = 2});
  EXPECT_FALSE(table.decide({}, 1)->complete);
  EXPECT_FALSE(table.decide({}, 0)->complete);
  EXPECT_FALSE(table.decide({}, 2)->complete);
  EXPECT_TRUE(table.decide({}, 3)->complete);
}

TEST(Decision, leaves_out_waiting_claims_over_the_bound_but_never_a_holder) {
  Table table({{.name = "a"}, {.name = "b"}, {.name = "c", .status = test::granted(1)}}, {.limit = 1});
  const auto decision = table.decide({}, 10, 1);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->left_out, 1U);
  EXPECT_EQ(decision->waiting, 1U);
  EXPECT_EQ(decision->holding, 1U);
}

TEST(Decision, names_who_was_not_served_and_what_was_said_of_it) {
  Table table({{.name = "a"}, {.name = "b"}}, {.limit = 1});
  const auto decision = table.decide();
  ASSERT_TRUE(decision);
  ASSERT_EQ(decision->unserved.size(), 1U);
  EXPECT_EQ(decision->unserved[0].first->claim.key, "ns/b");
  ASSERT_NE(decision->unserved[0].second, nullptr);
  EXPECT_EQ(decision->unserved[0].second->reason, "LimitReached");
}

}  // namespace
}  // namespace konductor::runtime
