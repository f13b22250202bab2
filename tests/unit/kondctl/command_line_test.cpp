#include "kondctl/command_line.hpp"

#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

namespace konductor::kondctl::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<runtime::KindDeclaration>& kinds() {
  static const std::vector<runtime::KindDeclaration> all{widget_kind(), party_kind()};
  return all;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> args;
  for (std::string word; in >> word;) args.push_back(word);
  return args;
}

CommandLine parse(const std::string& line, const std::string& participant = {}) {
  return parse_command_line(words(line), kinds(), participant);
}

Invocation must_parse(const std::string& line, const std::string& participant = {}) {
  const CommandLine result = parse(line, participant);
  if (const auto* farewell = std::get_if<Farewell>(&result)) {
    ADD_FAILURE() << line << ": " << farewell->err;
    return {};
  }
  return std::get<Invocation>(result);
}

std::string refusal(const std::string& line, const std::string& participant = {}) {
  const CommandLine result = parse(line, participant);
  const auto* farewell = std::get_if<Farewell>(&result);
  if (farewell == nullptr) return "accepted";
  EXPECT_EQ(farewell->code, ExitCode::usage) << line;
  EXPECT_EQ(farewell->out, "") << line;
  EXPECT_EQ(farewell->err.rfind("kondctl: ", 0), 0U) << farewell->err;
  return farewell->err;
}

std::vector<std::string> fields_of(const Invocation& invocation) {
  std::vector<std::string> fields;
  for (const runtime::FixedValue& field : invocation.fields) fields.push_back(field.path + "=" + field.json);
  return fields;
}

TEST(CommandLine, understands_the_flags_of_acquire) {
  const Invocation got = must_parse(
      "widget take q --wait --timeout 1h30m --ttl 90s --priority -5 --holder ci --as two --size 3 --grace 10s --mode "
      "fast --loud -n team -o json -q");
  EXPECT_EQ(got.purpose, Invocation::Purpose::action);
  EXPECT_EQ(got.action, runtime::Action::acquire);
  EXPECT_EQ(got.kind, &kinds()[0]);
  EXPECT_EQ(got.name, "q");
  EXPECT_TRUE(got.claim.wait);
  EXPECT_EQ(got.claim.timeout, std::chrono::minutes{90});
  EXPECT_EQ(got.claim.ttl, std::chrono::seconds{90});
  EXPECT_EQ(got.claim.priority, -5);
  EXPECT_EQ(got.claim.holder, "ci");
  EXPECT_EQ(got.claim.slot, "two");
  EXPECT_EQ(got.global.ns, "team");
  EXPECT_EQ(got.global.output, Format::json);
  EXPECT_TRUE(got.global.quiet);
  EXPECT_THAT(fields_of(got), testing::ElementsAre("spec.origin=\"shop\"", "spec.size=3", "spec.grace=\"10s\"",
                                                   "spec.mode=\"fast\"", "spec.loud=true"));
}

TEST(CommandLine, understands_the_flags_of_join_and_wait) {
  const Invocation join = must_parse("party come p --wait --timeout 5m --holder ci --seat 7 --evening 3 -n team");
  EXPECT_EQ(join.action, runtime::Action::join);
  EXPECT_TRUE(join.claim.wait);
  EXPECT_EQ(join.claim.timeout, std::chrono::minutes{5});
  EXPECT_EQ(join.claim.holder, "ci");
  EXPECT_EQ(join.claim.participant, "7");
  EXPECT_EQ(join.claim.round, 3);
  EXPECT_THAT(fields_of(join), testing::ElementsAre("spec.seat=\"7\"", "spec.evening=3"));
  const Invocation wait = must_parse("pt attend p --evening 2147483647 --timeout 1s");
  EXPECT_EQ(wait.action, runtime::Action::wait_for_phase);
  EXPECT_EQ(wait.claim.round, 2147483647);
  EXPECT_EQ(wait.claim.timeout, std::chrono::seconds{1});
  EXPECT_EQ(must_parse("party attend p").claim.round, std::nullopt);
}

TEST(CommandLine, takes_the_participant_from_the_environment_where_no_flag_names_it) {
  const Invocation from_there = must_parse("party come p", "7");
  EXPECT_EQ(from_there.claim.participant, "7");
  EXPECT_THAT(fields_of(from_there), testing::ElementsAre("spec.seat=\"7\""));
  EXPECT_EQ(must_parse("party come p --seat 8", "7").claim.participant, "8");
  EXPECT_THAT(fields_of(must_parse("party come p --seat 8", "7")), testing::ElementsAre("spec.seat=\"8\""));
  for (const std::string line : {"party attend p", "party look p", "widget take q", "party list"}) {
    EXPECT_EQ(must_parse(line, "7").claim.participant, "") << line;
    EXPECT_THAT(fields_of(must_parse(line, std::string(5000, 'x'))), testing::Not(testing::Contains(HasSubstr("xx"))));
  }
  EXPECT_THAT(refusal("party come p", std::string(64, 'x')),
              HasSubstr("KONDUCTOR_PARTICIPANT must have at most 63 characters, not 64"));
}

TEST(CommandLine, takes_a_participant_as_long_as_the_schema_allows) {
  EXPECT_EQ(must_parse("party come p --seat " + std::string(63, 'x')).claim.participant.size(), 63U);
  std::string letters;
  for (int i = 0; i < 63; ++i) letters += "\u00fc";
  EXPECT_EQ(must_parse("party come p --seat " + letters).claim.participant, letters) << "characters, not bytes";
  const std::string said = refusal("party come p --seat " + std::string(5000, 'x'));
  EXPECT_EQ(said, "kondctl: --seat must have at most 63 characters, not 5000\n");
  const std::vector<std::string> empty{"party", "come", "p", "--seat", ""};
  EXPECT_THAT(std::get<Farewell>(parse_command_line(empty, kinds())).err, HasSubstr("--seat must not be empty"));
}

TEST(CommandLine, has_verbs_of_claims_only_where_they_mean_something) {
  runtime::KindDeclaration odd = party_kind();
  odd.commands.push_back({runtime::Action::acquire, "take", "Take it", {}, {}});
  odd.commands.push_back({runtime::Action::release, "free", "Free it", {}, {}});
  odd.wait = {};
  const std::vector<runtime::KindDeclaration> several{odd};
  const auto args = words("party take p");
  EXPECT_THAT(std::get<Farewell>(parse_command_line(args, several)).err, HasSubstr("it has: come, look, list"));
  const auto waits = words("party come p --wait");
  EXPECT_THAT(std::get<Farewell>(parse_command_line(waits, several)).err, HasSubstr("--wait"));
}

TEST(CommandLine, takes_global_flags_before_and_behind_the_command) {
  for (const std::string line : {"-n team --context c widget look q", "widget -n team look q --context c",
                                 "widget look -n team q --context=c", "widget look q --namespace team --context c"}) {
    const Invocation got = must_parse(line);
    EXPECT_EQ(got.global.ns, "team") << line;
    EXPECT_EQ(got.global.context, "c") << line;
  }
}

TEST(CommandLine, knows_a_kind_by_each_of_its_names) {
  for (const std::string word : {"widget", "widgets", "wg"}) {
    EXPECT_EQ(must_parse(word + " look q").action, runtime::Action::show);
    EXPECT_EQ(must_parse("status " + word + " q").action, runtime::Action::show);
  }
}

TEST(CommandLine, shows_everything_a_kind_or_an_object) {
  EXPECT_EQ(must_parse("status").purpose, Invocation::Purpose::overview);
  EXPECT_FALSE(must_parse("status").all_namespaces);
  EXPECT_TRUE(must_parse("status -A -o wide").all_namespaces);
  const Invocation of_kind = must_parse("status wg -A");
  EXPECT_EQ(of_kind.purpose, Invocation::Purpose::action);
  EXPECT_EQ(of_kind.action, runtime::Action::list);
  EXPECT_EQ(of_kind.kind, &kinds()[0]);
  EXPECT_TRUE(of_kind.all_namespaces);
  EXPECT_EQ(must_parse("status party p").action, runtime::Action::show);
  EXPECT_THAT(refusal("status party p -A"), HasSubstr("-A and a name do not go together"));
}

TEST(CommandLine, has_its_own_commands) {
  EXPECT_EQ(must_parse("version").purpose, Invocation::Purpose::version);
  EXPECT_EQ(must_parse("plugin list -o json").purpose, Invocation::Purpose::plugin_list);
  EXPECT_EQ(must_parse("widget list -A").all_namespaces, true);
  EXPECT_EQ(must_parse("widget giveback q --claim q-1").claim.claim, "q-1");
}

TEST(CommandLine, leaves_out_what_it_has_no_code_for) {
  EXPECT_THAT(refusal("widget ponder q"),
              HasSubstr("widget has no command \"ponder\"; it has: take, run, giveback, look, list"));
}

TEST(CommandLine, takes_what_is_behind_two_dashes_for_the_command_to_run) {
  const Invocation got =
      must_parse("widget run q --size 2 --stop-grace 3s --conflict-exit-code 75 -- take -n x --wait -- q");
  EXPECT_EQ(got.action, runtime::Action::run);
  EXPECT_EQ(got.name, "q");
  EXPECT_THAT(got.words, testing::ElementsAre("take", "-n", "x", "--wait", "--", "q"));
  EXPECT_EQ(got.claim.stop_grace, std::chrono::seconds{3});
  EXPECT_EQ(got.claim.conflict_exit_code, 75);
  EXPECT_FALSE(got.claim.wait);
  EXPECT_EQ(got.global.ns, "");
  for (const char* line : {"widget run q", "widget run q --", "widget run q --wait --"}) {
    EXPECT_THAT(refusal(line), HasSubstr("kondctl widget run q -- COMMAND")) << line;
  }
  EXPECT_THAT(refusal("widget run q true"), HasSubstr("true"));
  EXPECT_THAT(refusal("widget run -- true"), HasSubstr("NAME"));
  EXPECT_EQ(must_parse("widget take q").claim.conflict_exit_code, 3);
}

TEST(CommandLine, lists_the_kinds_there_are_and_guesses) {
  EXPECT_THAT(refusal("wodget take q"), HasSubstr("the kinds are: widget, party; did you mean \"widget\"?"));
  EXPECT_THAT(refusal("status wodget q"), HasSubstr("did you mean \"widget\"?"));
  EXPECT_THAT(refusal("zzz take q"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(refusal("widget tkae q"), HasSubstr("did you mean \"take\"?"));
  const auto args = words("widget take q");
  const CommandLine none = parse_command_line(args, {});
  EXPECT_THAT(std::get<Farewell>(none).err, HasSubstr("kondctl plugin list"));
}

struct Wrong {
  std::string line;
  std::string says;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.line;
}

class WrongCommandLine : public testing::TestWithParam<Wrong> {};

TEST_P(WrongCommandLine, is_refused_with_a_sentence) {
  EXPECT_THAT(refusal(GetParam().line), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongCommandLine,
    testing::Values(
        Wrong{"", "see --help"}, Wrong{"widget", "see --help"}, Wrong{"widget take", "NAME"},
        Wrong{"widget take q --size 0", "--size must be from 1 to 2147483647, not 0"},
        Wrong{"widget take q --size -3", "--size must be from 1 to 2147483647, not -3"},
        Wrong{"widget take q --size 99999999999999999999999", "--size must be from 1 to 2147483647, not 999"},
        Wrong{"widget take q --size many", "--size must be a whole number, not \"many\""},
        Wrong{"widget take q --size 1.5", "--size must be a whole number"}, Wrong{"widget take q --size=", "--size"},
        Wrong{"widget take q --holder= --wait", "--holder= has no value"},
        Wrong{"widget take q --grace 61s", "--grace must be from 1s to 1m, not 61s"},
        Wrong{"widget take q --loud=maybe", "--loud must be true or false"},
        Wrong{"widget take q --ttl 0s", "--ttl must be from 1s to 8760h, not 0s"},
        Wrong{"widget take q --ttl 0", "--ttl"}, Wrong{"widget take q --ttl 400d", "--ttl"},
        Wrong{"widget take q --ttl 9600h", "--ttl must be from 1s to 8760h"}, Wrong{"widget take q --ttl 90", "90s"},
        Wrong{"widget take q --timeout 90", "90s"}, Wrong{"widget take q --timeout 0s", "--timeout must be from"},
        Wrong{"widget take q --timeout -1s", "--timeout"},
        Wrong{"widget take q --priority x", "--priority must be a whole number"},
        Wrong{"widget take q --priority 1000001", "--priority must be from -1000000 to 1000000"},
        Wrong{"widget take Q_1", "the name \"Q_1\" is not possible"},
        Wrong{"widget take q.1", "the name \"q.1\" is not possible"},
        Wrong{"widget take q -n Team!", "the namespace \"Team!\" is not possible"},
        Wrong{"widget giveback q --claim UPPER", "the claim \"UPPER\" is not possible"},
        Wrong{"widget take q -o xml", "-o must be json, yaml, name, wide or table, not \"xml\""},
        Wrong{"widget take q --unknown", "--unknown"}, Wrong{"widget take q r", "r"}, Wrong{"plugin", "see --help"},
        Wrong{"party come p --evening 0", "--evening must be from 1 to 2147483647, not 0"},
        Wrong{"party attend p --evening -1", "--evening must be from 1 to 2147483647, not -1"},
        Wrong{"party attend p --evening 2147483648", "--evening must be from 1 to 2147483647, not 2147483648"},
        Wrong{"party come p --evening 99999999999999999999", "--evening must be from 1 to 2147483647"},
        Wrong{"party come p --evening first", "--evening must be a whole number"},
        Wrong{"party come p --timeout 0s", "--timeout must be from"}, Wrong{"party attend p --timeout 0", "--timeout"},
        Wrong{"party attend p --wait", "--wait"}, Wrong{"party attend p --seat 7", "--seat"},
        Wrong{"party come p --ttl 5m", "--ttl"}, Wrong{"party come p --as x", "--as"}, Wrong{"party come", "NAME"},
        Wrong{"plugin lost", "lost"}, Wrong{"widget look q --ttl 5m", "--ttl"}));

TEST(CommandLine, takes_names_of_63_characters_and_none_of_64) {
  EXPECT_EQ(must_parse("widget take " + std::string(63, 'a')).name.size(), 63U);
  EXPECT_THAT(refusal("widget take " + std::string(64, 'a')), HasSubstr("is not possible"));
}

TEST(CommandLine, helps_at_every_level) {
  struct Case {
    std::string line;
    std::string says;
  };
  for (const Case& one :
       {Case{"--help", "124 timed out"}, Case{"-h", "Widgets, by tickets"}, Case{"widget --help", "Take some"},
        Case{"widget take --help", "how much"}, Case{"party come --help", "who comes; else $KONDUCTOR_PARTICIPANT"},
        Case{"party come --help", "wait until the party is Begun"}, Case{"party attend --help", "which evening"},
        Case{"status --help", "Widget"}, Case{"plugin --help", "refused"}}) {
    const CommandLine result = parse(one.line);
    const auto* farewell = std::get_if<Farewell>(&result);
    ASSERT_NE(farewell, nullptr) << one.line;
    EXPECT_EQ(farewell->code, ExitCode::done) << one.line;
    EXPECT_THAT(farewell->out, HasSubstr(one.says)) << one.line;
  }
}

// What a plugin declares can't take the host's own words, and can't break the tree.
TEST(CommandLine, survives_declarations_that_collide) {
  runtime::KindDeclaration rude = widget_kind();
  rude.names = {"Plugin", "plugins", "plugin", "version"};
  runtime::KindDeclaration twin = widget_kind();
  twin.names.short_name = "list";
  twin.commands.push_back(twin.commands.front());
  twin.commands.front().flags.push_back({"wait", "", "mine", "spec.wait", runtime::ValueType::boolean});
  twin.commands.front().flags.push_back({"namespace", "", "mine", "spec.ns", runtime::ValueType::string});
  const std::vector<runtime::KindDeclaration> several{rude, twin, widget_kind()};
  const auto args = words("widget take q --wait");
  const CommandLine result = parse_command_line(args, several);
  ASSERT_TRUE(std::holds_alternative<Invocation>(result));
  EXPECT_TRUE(std::get<Invocation>(result).claim.wait);
  const auto own = words("version");
  EXPECT_TRUE(std::holds_alternative<Invocation>(parse_command_line(own, several)));
}

TEST(CommandLine, repeats_no_control_characters) {
  const std::vector<runtime::KindDeclaration> kinds{widget_kind()};
  for (const std::string odd : {"--x\x1b[2J", "--x\x1b[2J="}) {
    const std::vector<std::string> args{"widget", "take", "q", odd};
    const CommandLine result = parse_command_line(args, kinds);
    ASSERT_TRUE(std::holds_alternative<Farewell>(result));
    EXPECT_THAT(std::get<Farewell>(result).err, testing::HasSubstr("--x\\x1b[2J"));
    EXPECT_EQ(std::get<Farewell>(result).err.find('\x1b'), std::string::npos);
  }
}

TEST(FirstLook, finds_the_plugin_folders_and_whether_plugins_are_needed) {
  const auto look = first_look(words("--plugin-dir a -n x widget take q --plugin-dir=b"));
  EXPECT_THAT(look.plugin_dirs, testing::ElementsAre("a", "b"));
  EXPECT_TRUE(look.needs_plugins);
  EXPECT_FALSE(first_look(words("version")).needs_plugins);
  EXPECT_FALSE(first_look(words("-o json version")).needs_plugins);
  EXPECT_TRUE(first_look(words("--help")).needs_plugins);
}

}  // namespace
}  // namespace konductor::kondctl::test
