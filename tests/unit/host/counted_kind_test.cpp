// What a kind that only counts declares beyond others: participants, waits with rounds, and the schemas that follow.
#include "host/claim_rules.hpp"
#include "host/crd.hpp"
#include "host/declarations.hpp"
#include "host/rbac.hpp"
#include "lamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Lamp;
using ::testing::Not;
using testing::str;

const MonoClock still = [] { return runtime::MonoTime{}; };

runtime::KindDeclaration counted() {
  static const Lamp::Counted declared;
  return declare_kind(declared.kind, "plugin lamps", still).value();
}

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

json schema_of(const json& crd) {
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}

TEST(CountedKind, is_copied_with_participants_and_its_wait) {
  const Lamp::Counted lamp;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_EQ(kind->participant_field, "colour");
  EXPECT_EQ(kind->wait.open_phase, "Lit");
  EXPECT_EQ(kind->wait.failed_phase, "Burnt");
  EXPECT_EQ(kind->wait.served_round_field, "evening");
  ASSERT_EQ(kind->commands.size(), 1U);
  EXPECT_EQ(kind->commands[0].action, runtime::Action::join);
}

TEST(CountedKind, has_no_participants_nor_wait_where_its_plugin_was_built_before_there_were_any) {
  Lamp::Counted lamp;
  lamp.kind.struct_size = offsetof(konductor_kind, participant_field);
  lamp.kind.command_count = 0;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_EQ(kind->participant_field, "");
  EXPECT_EQ(kind->wait.open_phase, "");
}

struct Breach {
  const char* name;
  std::function<void(Lamp::Counted&)> bend;
  const char* reason;
};
void PrintTo(const Breach& breach, std::ostream* out) {
  *out << breach.name;
}

class BentCountedKind : public ::testing::TestWithParam<Breach> {};

TEST_P(BentCountedKind, is_refused_with_the_member) {
  Lamp::Counted lamp;
  GetParam().bend(lamp);
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().code, Errc::plugin_incompatible);
  EXPECT_THAT(kind.error().detail, HasSubstr(GetParam().reason));
}

const Breach breaches[] = {
    {"participant_of_grants",
     [](auto& l) {
       l.kind.mode = KONDUCTOR_MODE_GRANTED;
       l.kind.command_count = 0;
     },
     "participant_field: only claims of a kind of mode KONDUCTOR_MODE_COUNTED"},
    {"participant_unknown", [](auto& l) { l.kind.participant_field = str("color"); },
     "participant_field: \"color\" is no string of claim_spec_schema"},
    {"participant_number", [](auto& l) { l.kind.participant_field = str("watts"); },
     "participant_field: \"watts\" is no string of claim_spec_schema"},
    {"participant_of_host", [](auto& l) { l.kind.participant_field = str("holder"); },
     "participant_field: \"holder\" is no string of claim_spec_schema"},
    {"status_participant",
     [](auto& l) {
       l.kind.claim_status_schema = str(R"({"properties": {"participant": {"type": "string", "description": "x"}}})");
     },
     "claim_status_schema.participant: this field is the host's own"},
    {"wait_small", [](auto& l) { l.wait.struct_size = 8; }, "wait.struct_size: 8 is too small"},
    {"wait_open_absent", [](auto& l) { l.wait.open_phase = {}; }, "wait.open_phase: \"\" is not a CamelCase word"},
    {"wait_open_word", [](auto& l) { l.wait.open_phase = str("is lit"); }, "wait.open_phase: \"is lit\""},
    {"wait_open_unknown", [](auto& l) { l.wait.open_phase = str("Open"); }, "wait.open_phase: \"Open\" is none of the"},
    {"wait_failed_unknown", [](auto& l) { l.wait.failed_phase = str("Failed"); }, "wait.failed_phase: \"Failed\" is"},
    {"wait_failed_same", [](auto& l) { l.wait.failed_phase = str("Lit"); }, "wait.failed_phase: is the same"},
    {"wait_two_of_three", [](auto& l) { l.wait.round_field = {}; }, "given together, or none of them"},
    {"wait_rounds_type", [](auto& l) { l.wait.rounds_field = str("bulbs"); },
     "wait.rounds_field: \"bulbs\" is no boolean of spec_schema"},
    {"wait_round_type", [](auto& l) { l.wait.round_field = str("colour"); },
     "wait.round_field: \"colour\" is no integer of claim_spec_schema"},
    {"wait_served_type", [](auto& l) { l.wait.served_round_field = str("phase"); },
     "wait.served_round_field: \"phase\" is no integer of status_schema"},
    {"wait_without_phase",
     [](auto& l) {
       l.kind.status_schema = str(R"({"properties": {"evening": {"type": "integer", "description": "x"}}})");
     },
     "wait: \"phase\" is no string of status_schema"},
    {"join_without_wait", [](auto& l) { l.kind.wait = nullptr; }, "its action needs the declaration `wait`"},
    {"wait_for_phase_without_wait",
     [](auto& l) {
       l.kind.wait = nullptr;
       l.command.action = KONDUCTOR_WAIT_FOR_PHASE;
     },
     "its action needs the declaration `wait`"},
    {"join_of_grants",
     [](auto& l) {
       l.kind.mode = KONDUCTOR_MODE_GRANTED;
       l.kind.participant_field = {};
     },
     "its action is for claims that are only counted"},
    {"acquire_of_counts", [](auto& l) { l.command.action = KONDUCTOR_ACQUIRE; },
     "its action is for claims that are granted"},
    {"join_flag_holder", [](auto& l) { l.flags[0].name = str("holder"); }, "--holder is the host's own"},
    {"join_flag_wait", [](auto& l) { l.flags[0].name = str("wait"); }, "--wait is the host's own"},
    {"wait_flag_timeout",
     [](auto& l) {
       l.command.action = KONDUCTOR_WAIT_FOR_PHASE;
       l.flags[0].name = str("timeout");
     },
     "--timeout is the host's own"},
};
INSTANTIATE_TEST_SUITE_P(CountedKind, BentCountedKind, ::testing::ValuesIn(breaches),
                         [](const auto& test) { return test.param.name; });

TEST(CountedKind, may_have_flags_that_mean_something_only_for_grants) {
  for (const char* name : {"ttl", "priority", "conflict-exit-code"}) {
    Lamp::Counted lamp;
    lamp.flags[0].name = str(name);
    EXPECT_TRUE(declare_kind(lamp.kind, "plugin lamps", still)) << name;
  }
}

TEST(CountedKind, has_claims_without_what_only_grants_need) {
  const auto schema = schema_of(claim_crd(counted()))["properties"];
  EXPECT_THAT(keys(schema["spec"]["properties"]),
              ElementsAre("colour", "holder", "lamp", "pod", "requestedAt", "watts"));
  const auto status = schema["status"]["properties"];
  EXPECT_THAT(keys(status), ElementsAre("conditions", "endedAt", "outcome", "participant", "phase"));
  EXPECT_EQ(status["phase"]["enum"], json::array({"Denied"}));
  auto with_pod = counted();
  with_pod.claim_lifetime = runtime::Lifetime::with_pod;
  with_pod.participant_field.clear();
  const auto other = schema_of(claim_crd(with_pod))["properties"]["status"]["properties"];
  EXPECT_EQ(other["phase"]["enum"], json({"Denied", "Expired"}));
  EXPECT_FALSE(other.contains("participant"));
}

TEST(CountedKind, has_rules_that_name_only_fields_of_its_claims) {
  const auto crd = claim_crd(counted());
  const auto schema = schema_of(crd);
  std::set<std::string> about;
  for (const auto& [path, rule, message] : claim_rules(counted(), schema["properties"]["spec"])) {
    about.insert(path);
    for (const char* absent : {"ttl", "priority", "spec.wait", "token", "units"})
      EXPECT_THAT(path + rule, Not(HasSubstr(absent)));
  }
  EXPECT_THAT(about, ElementsAre("", "spec", "spec.colour", "spec.holder", "spec.lamp", "spec.pod", "spec.requestedAt",
                                 "spec.watts", "status", "status.participant", "status.phase"));
  EXPECT_EQ(why_not_served(crd, counted(), runtime::Place::claim), "");
}

TEST(CountedKind, lets_the_operator_look_at_jobs_only_where_it_has_participants) {
  auto kind = counted();
  const json jobs = {{"apiGroups", {"batch"}}, {"resources", {"jobs"}}, {"verbs", {"get"}}};
  EXPECT_THAT(operator_role(std::vector{kind})["rules"], Contains(jobs));
  kind.participant_field.clear();
  EXPECT_THAT(operator_role(std::vector{kind})["rules"], Not(Contains(jobs)));
}

}  // namespace
}  // namespace konductor::host
