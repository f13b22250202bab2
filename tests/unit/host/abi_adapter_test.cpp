#include "host/abi_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

using ::testing::HasSubstr;

// A decide has no context of its own: what a test wants of it stands here.
std::function<std::int32_t(const konductor_input&, const konductor_sink&)> script;

std::int32_t scripted(const konductor_input* input, const konductor_sink* sink) noexcept {
  return script(*input, *sink);
}

class AbiAdapter : public ::testing::Test {
 protected:
  AbiAdapter() {
    kind.claim_fields = {{"spec.colour", runtime::ValueType::string}, {"spec.watts", runtime::ValueType::integer}};
    observation.ns = "home";
    observation.name = "desk";
    observation.spec = R"({"bulbs": 3})";
    observation.state = "{}";
    observation.max_grants = 8;
  }
  ~AbiAdapter() override { script = nullptr; }

  Result<runtime::Plan> decide() {
    observation.claims = claims;
    observation.observed = observed;
    const auto adapted = adapt_decide(&scripted, kind, "plugin lamps: kind Lamp", [this] { return now; });
    return adapted(observation);
  }

  runtime::KindDeclaration kind;
  runtime::Observation observation;
  std::vector<runtime::ClaimFacts> claims;
  std::vector<runtime::ObservedObject> observed;
  runtime::MonoTime now{std::chrono::hours{1}};
};

TEST_F(AbiAdapter, hands_every_fact_over) {
  const std::vector<runtime::FieldValue> values = {{runtime::ValueType::string, true, 0, "red"},
                                                   {runtime::ValueType::integer, true, 60, ""}};
  claims = {{.state = runtime::ClaimState::revoking,
             .uid = "u1",
             .key = "home/a",
             .holder = "me",
             .units = 2,
             .priority = -3,
             .created = 4,
             .deadline = 5,
             .token = 6,
             .no_wait = true,
             .pod = runtime::PodState::gone,
             .controller_kind = "Job",
             .controller_uid = "j",
             .completion_index = 7,
             .outcome = "ok",
             .fields = values,
             .participant = "somebody"}};
  observed = {{runtime::ObservedState::forbidden, "need", "name", "uid", "{}"}};
  observation.generation = 9;
  observation.now = 10;
  script = [](const konductor_input& input, const konductor_sink&) {
    const auto text = [](konductor_str from) { return std::string(from.data, from.size); };
    EXPECT_EQ(text(input.namespace_name) + "/" + text(input.name), "home/desk");
    EXPECT_EQ(input.generation, 9);
    EXPECT_EQ(input.now, 10);
    EXPECT_EQ(input.max_grants, 8U);
    EXPECT_EQ(input.claim_count, 1U);
    const auto& claim = *input.claims[0];
    EXPECT_EQ(claim.struct_size, sizeof(konductor_claim));
    EXPECT_EQ(claim.state, KONDUCTOR_REVOKING);
    EXPECT_EQ(text(claim.key), "home/a");
    EXPECT_EQ(claim.units, 2);
    EXPECT_EQ(claim.priority, -3);
    EXPECT_EQ(claim.created, 4);
    EXPECT_EQ(claim.deadline, 5);
    EXPECT_EQ(claim.token, 6);
    EXPECT_EQ(claim.no_wait, 1);
    EXPECT_EQ(claim.pod_state, KONDUCTOR_POD_GONE);
    EXPECT_EQ(text(claim.controller_kind), "Job");
    EXPECT_EQ(claim.completion_index, 7);
    EXPECT_EQ(text(claim.outcome), "ok");
    EXPECT_EQ(text(claim.participant), "somebody");
    EXPECT_EQ(claim.field_count, 2U);
    EXPECT_EQ(text(claim.fields[0].string), "red");
    EXPECT_EQ(claim.fields[1].integer, 60);
    EXPECT_EQ(input.observed_count, 1U);
    EXPECT_EQ(input.observed[0]->state, KONDUCTOR_FORBIDDEN);
    EXPECT_EQ(text(input.observed[0]->need_id), "need");
    return 0;
  };
  EXPECT_TRUE(decide());
}

TEST_F(AbiAdapter, gives_exactly_the_declared_fields_when_a_claim_has_fewer_or_of_another_type) {
  const std::vector<runtime::FieldValue> values = {{runtime::ValueType::integer, true, 5, ""}};
  claims.resize(2);
  claims[0].fields = values;
  script = [](const konductor_input& input, const konductor_sink&) {
    for (std::size_t i = 0; i < input.claim_count; ++i) {
      EXPECT_EQ(input.claims[i]->field_count, 2U);
      EXPECT_EQ(input.claims[i]->fields[0].present, 0);
      EXPECT_EQ(input.claims[i]->fields[0].type, KONDUCTOR_STRING);
      EXPECT_EQ(input.claims[i]->fields[1].present, 0);
    }
    return 0;
  };
  EXPECT_TRUE(decide());
}

TEST_F(AbiAdapter, says_invalid_with_the_plugins_words_when_it_does_not_understand) {
  script = [](const konductor_input&, const konductor_sink& sink) {
    sink.condition(sink.context, KONDUCTOR_STR("Ready"), KONDUCTOR_FALSE, KONDUCTOR_STR("BadSpec"),
                   KONDUCTOR_STR("bulbs must not be a song"));
    return 4;
  };
  const auto plan = decide();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::invalid);
  EXPECT_THAT(plan.error().detail, HasSubstr("plugin lamps: kind Lamp"));
  EXPECT_THAT(plan.error().detail, HasSubstr("home/desk: bulbs must not be a song"));
}

TEST_F(AbiAdapter, quarantines_a_decision_that_takes_over_a_second) {
  script = [this](const konductor_input&, const konductor_sink&) {
    now += std::chrono::milliseconds{5040};
    return 0;
  };
  const auto plan = decide();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::plugin_incompatible);
  EXPECT_THAT(plan.error().detail, HasSubstr("a decision on home/desk took 5.0 s, more than 1.0 s"));
}

TEST_F(AbiAdapter, accepts_a_decision_that_takes_a_second) {
  script = [this](const konductor_input&, const konductor_sink&) {
    now += std::chrono::seconds{1};
    return 0;
  };
  EXPECT_TRUE(decide());
}

TEST_F(AbiAdapter, names_plugin_kind_primitive_and_breach) {
  script = [](const konductor_input&, const konductor_sink& sink) {
    const konductor_verdict verdict = {sizeof(verdict), KONDUCTOR_GRANT, {}, {}, 0};
    sink.verdict(sink.context, 1'000'000'000, &verdict);
    return 0;
  };
  const auto plan = decide();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::plugin_incompatible);
  EXPECT_EQ(
      plan.error().detail,
      "plugin lamps: kind Lamp: a decision on home/desk breaks the contract: gives a verdict on claim 1000000000 of 0");
}

TEST_F(AbiAdapter, forgets_the_last_decision_before_the_next) {
  claims.resize(3);
  kind.claim_fields.clear();
  observation.claims = claims;
  const auto adapted = adapt_decide(&scripted, kind, "p", [this] { return now; });
  script = [](const konductor_input& input, const konductor_sink& sink) {
    const konductor_verdict verdict = {sizeof(verdict), KONDUCTOR_GRANT, {}, {}, 0};
    sink.verdict(sink.context, input.claim_count, &verdict);
    return 0;
  };
  EXPECT_FALSE(adapted(observation));
  script = [](const konductor_input&, const konductor_sink& sink) {
    const konductor_verdict verdict = {sizeof(verdict), KONDUCTOR_GRANT, {}, {}, 0};
    sink.verdict(sink.context, 2, &verdict);
    return 0;
  };
  for (int round = 0; round < 3; ++round) {
    const auto plan = adapted(observation);
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->verdicts.size(), 1U);
  }
  claims.clear();
  observation.claims = claims;
  EXPECT_FALSE(adapted(observation)) << "claim 2 is of an earlier decision";
}

}  // namespace
}  // namespace konductor::host
