#include "runtime/claim.hpp"

#include "tests/support/objects.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace konductor::runtime {
namespace {

using test::Ticket;
using test::widgets;

constexpr std::int64_t second = 1'000'000;

TEST(Claim, reads_what_its_object_says) {
  auto object = Ticket{.name = "a",
                       .rv = 42,
                       .units = 3,
                       .priority = 5,
                       .wait = false,
                       .pod = "u",
                       .ttl = "90s",
                       .renewed = "r",
                       .status = test::granted(77, 2, "5m")}
                    .object();
  object["status"]["primitiveUID"] = "w-1";
  object["status"]["conditions"] = {{{"type", "Other"}, {"reason", "x"}}, {{"type", "Granted"}, {"reason", "Why"}}};
  const auto claim = parse_claim(object, widgets());
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->key, "ns/a");
  EXPECT_EQ(claim->rv, 42U);
  EXPECT_EQ(claim->primitive, (kube::NamespacedName{"ns", "w"}));
  EXPECT_EQ(claim->units, 3);
  EXPECT_EQ(claim->held_units, 2) << "what it holds is what its status says";
  EXPECT_EQ(claim->priority, 5);
  EXPECT_FALSE(claim->wait);
  EXPECT_EQ(claim->pod_uid, "u");
  EXPECT_EQ(claim->pod_name, "pod-u");
  EXPECT_EQ(claim->ttl, 90 * second);
  EXPECT_EQ(claim->granted_ttl, 300 * second);
  EXPECT_EQ(claim->token, 77);
  EXPECT_EQ(claim->mark, "w-1");
  EXPECT_EQ(claim->reason, "Why");
  EXPECT_TRUE(claim->acknowledged);
}

TEST(Claim, without_a_status_is_pending) {
  const auto claim = parse_claim(Ticket{}.object(), widgets());
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->phase, Phase::pending);
  EXPECT_FALSE(claim->acknowledged);
  EXPECT_EQ(claim->held_units, 0);
  EXPECT_TRUE(claim->wait);
}

TEST(Claim, of_an_unknown_phase_holds) {
  const auto claim = parse_claim(Ticket{.units = 4, .status = {{"phase", "Frozen"}}}.object(), widgets());
  ASSERT_TRUE(claim);
  EXPECT_TRUE(holds(claim->phase));
  EXPECT_FALSE(is_terminal(claim->phase));
  EXPECT_EQ(claim->held_units, 4);
}

TEST(Claim, phases_are_either_waiting_holding_or_terminal) {
  for (const auto phase : {Phase::pending, Phase::granted, Phase::revoking, Phase::denied, Phase::expired,
                           Phase::revoked, Phase::unknown}) {
    const int kinds = (phase == Phase::pending ? 1 : 0) + (holds(phase) ? 1 : 0) + (is_terminal(phase) ? 1 : 0);
    EXPECT_EQ(kinds, 1) << to_string(phase);
  }
}

TEST(Claim, asks_inside_the_second_of_its_creation) {
  struct Case {
    const char* requested;
    std::int64_t micros;
  };
  for (const auto& [requested, micros] : {Case{"1970-01-01T00:33:20.000123Z", 123}, Case{"1970-01-01T00:00:01Z", 0},
                                          Case{"2030-01-01T00:00:00Z", 999'999}, Case{"nonsense", 999'999}}) {
    auto object = Ticket{.created_s = 2000}.object();
    object["spec"]["requestedAt"] = requested;
    EXPECT_EQ(parse_claim(object, widgets())->asked_at, 2000 * second + micros) << requested;
  }
  EXPECT_EQ(parse_claim(Ticket{.created_s = 2000}.object(), widgets())->asked_at, 2000 * second + 999'999);
}

TEST(Claim, that_names_no_primitive_is_an_error_that_names_it) {
  const auto claim = parse_claim(Ticket{.name = "odd", .widget = ""}.object(), widgets());
  ASSERT_FALSE(claim);
  EXPECT_NE(claim.error().detail.find("ns/odd"), std::string::npos);
  EXPECT_NE(claim.error().detail.find("spec.widget"), std::string::npos);
}

TEST(Claim, reads_declared_fields_by_their_type) {
  auto kind = widgets();
  kind.claim_fields = {{"spec.mode", ValueType::string}, {"spec.size", ValueType::integer},
                       {"spec.on", ValueType::boolean},  {"spec.grace", ValueType::duration},
                       {"spec.none", ValueType::string}, {"spec.mode", ValueType::integer}};
  auto object = Ticket{}.object();
  object["spec"].update({{"mode", "fast"}, {"size", 4}, {"on", true}, {"grace", "2s"}});
  const auto claim = parse_claim(object, kind);
  ASSERT_TRUE(claim);
  ASSERT_EQ(claim->fields.size(), 6U);
  EXPECT_EQ(claim->fields[0].text, "fast");
  EXPECT_EQ(claim->fields[1].integer, 4);
  EXPECT_EQ(claim->fields[2].integer, 1);
  EXPECT_EQ(claim->fields[3].integer, 2 * second);
  EXPECT_FALSE(claim->fields[4].present);
  EXPECT_FALSE(claim->fields[5].present) << "another type";
}

TEST(Claim, takes_a_declared_integer_beyond_64_bits_for_absent) {
  auto kind = widgets();
  kind.claim_fields = {{"spec.large", ValueType::integer}, {"spec.least", ValueType::integer}};
  auto object = Ticket{}.object();
  object["spec"]["large"] = std::numeric_limits<std::uint64_t>::max();
  object["spec"]["least"] = std::numeric_limits<std::int64_t>::min();
  const auto claim = parse_claim(object, kind);
  ASSERT_TRUE(claim);
  EXPECT_FALSE(claim->fields[0].present);
  EXPECT_EQ(claim->fields[0].integer, 0);
  EXPECT_TRUE(claim->fields[1].present);
  EXPECT_EQ(claim->fields[1].integer, std::numeric_limits<std::int64_t>::min());
}

}  // namespace
}  // namespace konductor::runtime
