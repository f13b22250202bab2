#include "barrier/codec.hpp"
#include "vtable.hpp"

#include <konductor/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

/// The plugin as a host sees it: through its vtable, and as declarations.
namespace konductor::plugin_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const konductor_kind& kind() {
  return *load(BARRIER_SO).kinds[0];
}

TestClaim arrival(const std::string& participant, std::optional<std::int64_t> round = {}) {
  TestClaim claim;
  claim.participant = participant;
  claim.number = round;
  return claim;
}

/// Commits what was given, as the host does.
Output step(World& world) {
  Output output = decide(kind(), world);
  EXPECT_EQ(output.returned, 0);
  if (output.state) world.state = *output.state;
  return output;
}

TEST(BarrierPlugin, counts_and_opens_through_the_vtable) {
  World world{.spec = R"({"expected":3,"timeout":"10m"})", .now = 2};
  world.claims = {arrival("0"), arrival("1"), arrival("1")};
  const Output waits = step(world);
  EXPECT_EQ(waits.status, R"({"phase":"Waiting","arrived":2,"progress":"2/3","round":1,"openedRound":0,)"
                          R"("deadline":"1970-01-01T00:10:00Z","missing":"2"})");
  EXPECT_EQ(waits.look_again_at, 600'000'000);
  EXPECT_EQ(waits.condition("Open")->status, KONDUCTOR_FALSE);
  EXPECT_EQ(waits.condition("Open")->reason, "Waiting");
  EXPECT_EQ(waits.condition("Failed")->status, KONDUCTOR_FALSE);
  EXPECT_EQ(waits.condition("Ready")->status, KONDUCTOR_TRUE);
  EXPECT_THAT(waits.events, IsEmpty());

  world.claims.push_back(arrival("2"));
  world.now = 3;
  const Output opens = step(world);
  EXPECT_EQ(opens.shown("openedRound"), 1);
  EXPECT_EQ(opens.condition("Open")->status, KONDUCTOR_TRUE);
  EXPECT_EQ(opens.condition("Open")->reason, "AllArrived");
  EXPECT_EQ(opens.condition("Open")->message, "3 of 3 have arrived");
  EXPECT_THAT(opens.events, ElementsAre("Opened: 3 of 3 have arrived"));
  ASSERT_TRUE(opens.state) << "in the same write";
  EXPECT_FALSE(opens.look_again_at);
  EXPECT_FALSE(step(world).state) << "nothing more to write";
}

TEST(BarrierPlugin, a_new_barrier_keeps_nothing_yet) {
  World world{.spec = R"({"expected":3})"};
  const Output output = step(world);
  EXPECT_FALSE(output.state);
  EXPECT_EQ(nlohmann::json::parse(output.status)["deadline"], nullptr);
}

TEST(BarrierPlugin, a_failed_one_says_why_in_every_condition) {
  World world{.spec = R"({"expected":3,"timeout":"10s"})", .now = 10'000'000};
  world.claims = {arrival("ann"), arrival("bob")};
  const Output output = step(world);
  EXPECT_EQ(nlohmann::json::parse(output.status)["phase"], "Failed");
  for (const char* type : {"Open", "Failed", "Ready"}) {
    EXPECT_EQ(output.condition(type)->reason, "TimedOut") << type;
    EXPECT_EQ(output.condition(type)->message, "2 of 3 had arrived when the timeout of 10s was over") << type;
  }
  EXPECT_EQ(output.condition("Open")->status, KONDUCTOR_FALSE);
  EXPECT_EQ(output.condition("Failed")->status, KONDUCTOR_TRUE);
  EXPECT_EQ(output.condition("Ready")->status, KONDUCTOR_FALSE);
  EXPECT_THAT(output.events, IsEmpty()) << "the host tells of Ready";
}

TEST(BarrierPlugin, denies_and_discards_by_rounds) {
  World world{.spec = R"({"expected":2,"reusable":true})"};
  world.claims = {arrival("a", 1), arrival("b"), arrival("b", 1), arrival("a", 2)};
  const Output output = step(world);
  EXPECT_THAT(output.with(KONDUCTOR_DENY), ElementsAre(1));
  EXPECT_EQ(output.reason_of(1), "RoundMissing");
  EXPECT_THAT(output.with(KONDUCTOR_DISCARD), ElementsAre(0, 2));
  EXPECT_EQ(output.shown("openedRound"), 1);
  EXPECT_EQ(output.shown("round"), 2);
  EXPECT_EQ(output.shown("arrived"), 1);
}

TEST(BarrierPlugin, judges_only_claims_that_wait) {
  World world{.spec = R"({"expected":2,"reusable":true})"};
  world.claims = {arrival("a", 1), arrival("b", 1), arrival("c"), arrival("d", 1)};
  world.claims[2].state = KONDUCTOR_ENDED;
  world.claims[3].state = KONDUCTOR_ENDED;
  const Output output = step(world);
  EXPECT_THAT(output.with(KONDUCTOR_DENY), IsEmpty());
  EXPECT_THAT(output.with(KONDUCTOR_DISCARD), ElementsAre(0, 1));
}

TEST(BarrierPlugin, without_a_participant_each_arrival_is_one) {
  World world{.spec = R"({"expected":2})"};
  world.claims = {arrival(""), arrival("")};
  EXPECT_EQ(step(world).shown("openedRound"), 1);
}

TEST(BarrierPlugin, says_nothing_where_spec_or_state_is_not_understood) {
  const std::pair<const char*, const char*> cases[] = {{"{}", "{}"},
                                                       {R"({"expected":0})", "{}"},
                                                       {R"({"expected":2,"quorum":3})", "{}"},
                                                       {R"({"expected":2})", R"({"round":"first"})"},
                                                       {R"({"expected":2})", R"({"round":1,"opened":1})"}};
  for (const auto& [spec, state] : cases) {
    World world{.spec = spec, .state = state};
    world.claims = {arrival("a"), arrival("b")};
    const Output output = decide(kind(), world);
    EXPECT_NE(output.returned, 0) << spec << state;
    EXPECT_EQ(output.status, "") << spec << state;
    EXPECT_FALSE(output.state) << spec << state;
  }
}

TEST(BarrierPlugin, a_wait_for_it_ends_by_members_that_its_schemas_have) {
  const konductor_wait& wait = *kind().wait;
  EXPECT_EQ(plugin::view(wait.open_phase), barrier::to_string(barrier::Phase::open));
  EXPECT_EQ(plugin::view(wait.failed_phase), barrier::to_string(barrier::Phase::failed));
  const auto type_of = [](konductor_str schema, konductor_str member) {
    return nlohmann::json::parse(plugin::view(schema))["properties"][std::string(plugin::view(member))]["type"];
  };
  EXPECT_EQ(type_of(kind().spec_schema, wait.rounds_field), "boolean");
  EXPECT_EQ(type_of(kind().claim_spec_schema, wait.round_field), "integer");
  EXPECT_EQ(type_of(kind().status_schema, wait.served_round_field), "integer");
  EXPECT_EQ(type_of(kind().claim_spec_schema, kind().participant_field), "string");
}

TEST(BarrierPlugin, declares_its_verbs) {
  std::vector<std::string> verbs;
  for (std::size_t i = 0; i < kind().command_count; ++i) verbs.emplace_back(plugin::view(kind().commands[i]->verb));
  EXPECT_THAT(verbs, ElementsAre("arrive", "wait", "status", "list", "create", "set", "delete"));
}

TEST(BarrierPlugin, creates_and_sets_fields_that_its_schema_has) {
  const auto schema = nlohmann::json::parse(plugin::view(kind().spec_schema));
  for (std::size_t i = 0; i < kind().command_count; ++i) {
    const konductor_command& command = *kind().commands[i];
    if (command.action != KONDUCTOR_CREATE && command.action != KONDUCTOR_SET) continue;
    EXPECT_EQ(command.flag_count, schema["properties"].size() - (command.action == KONDUCTOR_SET ? 1 : 0));
    for (std::size_t f = 0; f < command.flag_count; ++f) {
      const std::string path(plugin::view(command.flags[f].path));
      ASSERT_EQ(path.rfind("spec.", 0), 0U) << path;
      EXPECT_TRUE(schema["properties"].contains(path.substr(5))) << path;
    }
  }
}

/// Every member of the status that the plugin writes is one that the API server keeps.
TEST(BarrierPlugin, shows_exactly_the_members_of_its_schema) {
  World world{.spec = R"({"expected":3})"};
  const auto shown = nlohmann::json::parse(step(world).status);
  const auto schema = nlohmann::json::parse(plugin::view(kind().status_schema))["properties"];
  for (const auto& [name, value] : shown.items()) EXPECT_TRUE(schema.contains(name)) << name;
  EXPECT_EQ(shown.size(), schema.size());
}

TEST(BarrierPlugin, ten_thousand_participants_open_it_at_the_last) {
  World world{.spec = R"({"expected":10000})"};
  for (int i = 0; i < 9'999; ++i) world.claims.push_back(arrival("5c1f/" + std::to_string(i)));
  EXPECT_THAT(step(world).status, HasSubstr(R"("progress":"9999/10000")"));
  world.claims.push_back(arrival("5c1f/9999"));
  EXPECT_EQ(step(world).shown("openedRound"), 1);
}

}  // namespace
}  // namespace konductor::plugin_test
