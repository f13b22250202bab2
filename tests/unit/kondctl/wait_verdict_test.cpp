#include "kondctl/wait_verdict.hpp"

#include "widgets.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;
using Kind = WaitVerdict::Kind;

struct Case {
  const char* primitive;
  Round round;
  Kind kind;
  std::string words;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.primitive << " round " << one.round.value_or(0);
}

class WaitVerdictOf : public testing::TestWithParam<Case> {};

TEST_P(WaitVerdictOf, is_as_the_declaration_says) {
  const Case& one = GetParam();
  const WaitVerdict verdict = wait_verdict(json::parse(one.primitive), party_kind().wait, one.round);
  EXPECT_EQ(verdict.kind, one.kind);
  EXPECT_EQ(verdict.words, one.words);
}

constexpr const char* begun =
    R"({"status": {"phase": "Begun", "conditions": [{"type": "Begun", "status": "True", "message": "3 of 3"}]}})";
constexpr const char* gathering =
    R"({"status": {"phase": "Gathering", "conditions": [{"type": "Begun", "status": "False", "message": "2 of 3"}]}})";
constexpr const char* called_off = R"({"status": {"phase": "CalledOff", "lastEvening": 2, "conditions": [
    {"type": "Begun", "status": "False", "message": "2 of 3"},
    {"type": "CalledOff", "status": "True", "reason": "TooLate", "message": "it was too late"}]}})";
constexpr const char* third = R"({"spec": {"weekly": true}, "status": {"phase": "Begun", "lastEvening": 3,
    "conditions": [{"type": "Begun", "status": "True", "message": "3 of 3"}]}})";

INSTANTIATE_TEST_SUITE_P(
    Table, WaitVerdictOf,
    testing::Values(
        Case{begun, {}, Kind::served, "3 of 3"}, Case{gathering, {}, Kind::waiting, "2 of 3"},
        Case{called_off, {}, Kind::failed, "it was too late"},
        // What nobody has written, or not as it should be, serves nobody.
        Case{"{}", {}, Kind::waiting, ""}, Case{R"({"status": null})", {}, Kind::waiting, ""},
        Case{R"({"status": {"phase": null}})", {}, Kind::waiting, ""},
        Case{R"({"status": {"phase": 7}})", {}, Kind::waiting, ""},
        Case{R"({"status": {"phase": "begun"}})", {}, Kind::waiting, ""},
        Case{R"({"status": {"phase": "Begun", "conditions": 3}})", {}, Kind::served, ""},
        Case{R"({"status": {"phase": "CalledOff"}})", {}, Kind::failed, ""},
        Case{R"({"status": {"phase": "CalledOff", "conditions": [{"type": "CalledOff", "reason": "Rain"}]}})",
             {},
             Kind::failed,
             "Rain"},
        // Rounds: those before are served, also where it failed; the phase of another round serves nobody.
        Case{third, 1, Kind::served, ""}, Case{third, 3, Kind::served, ""}, Case{third, 4, Kind::waiting, "3 of 3"},
        Case{called_off, 2, Kind::served, ""}, Case{called_off, 3, Kind::failed, "it was too late"},
        Case{begun, 1, Kind::waiting, "3 of 3"}, Case{"{}", 1, Kind::waiting, ""},
        Case{R"({"status": {"lastEvening": "9"}})", 1, Kind::waiting, ""},
        Case{R"({"status": {"lastEvening": 9223372036854775807}})", 2147483647, Kind::served, ""}));

TEST(WaitVerdict, needs_no_failed_phase) {
  runtime::WaitDeclaration wait;
  wait.open_phase = "Begun";
  EXPECT_EQ(wait_verdict(json::parse("{}"), wait, {}).kind, Kind::waiting);
  EXPECT_EQ(wait_verdict(json::parse(called_off), wait, {}).kind, Kind::waiting);
  EXPECT_EQ(wait_verdict(json::parse(begun), wait, {}).kind, Kind::served);
}

TEST(WaitVerdict, knows_rounds_by_the_spec) {
  const auto wait = party_kind().wait;
  EXPECT_TRUE(has_rounds(json::parse(third), wait));
  EXPECT_FALSE(has_rounds(json::parse(R"({"spec": {"weekly": false}})"), wait));
  EXPECT_FALSE(has_rounds(json::parse(R"({"spec": {"weekly": "true"}})"), wait));
  EXPECT_FALSE(has_rounds(json::parse("{}"), wait));
  EXPECT_FALSE(has_rounds(json::parse(third), {"Begun", "", "", "", ""}));
}

TEST(WaitVerdict, knows_whether_an_operator_has_written) {
  EXPECT_TRUE(has_status(json::parse(gathering)));
  EXPECT_FALSE(has_status(json::parse("{}")));
  EXPECT_FALSE(has_status(json::parse(R"({"status": {}})")));
  EXPECT_FALSE(has_status(json::parse(R"({"status": null})")));
}

}  // namespace
}  // namespace konductor::kondctl::test
