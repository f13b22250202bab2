#include "kondctl/completion.hpp"

#include "kondctl/command_tree.hpp"
#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::kondctl::test {
namespace {

using Also = Completion::Also;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const std::vector<runtime::KindDeclaration>& kinds() {
  static const std::vector<runtime::KindDeclaration> all = [] {
    std::vector<runtime::KindDeclaration> made{widget_kind(), party_kind()};
    made[0].spec_schema = R"({"properties": {"finish": {"type": "string", "enum": ["Matt", "Glossy"]}}})";
    const runtime::FlagDeclaration finish{"finish", "FINISH", "the look", "spec.finish", runtime::ValueType::string};
    made[0].commands.push_back({runtime::Action::create, "make", "Make one", {finish}, {}});
    return made;
  }();
  return all;
}

Completion at(const std::vector<std::string>& words) {
  return complete(CommandTree(kinds()).describe(), words);
}

std::vector<std::string> offered(const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  for (const Completion::Word& word : at(words).words) texts.push_back(word.text);
  return texts;
}

TEST(Completion, offers_kinds_and_the_hosts_words_at_first) {
  EXPECT_THAT(offered({""}), ElementsAre("widget", "party", "status", "plugin", "version", "completion", "explain"));
  EXPECT_THAT(offered({"w"}), ElementsAre("widget"));
  EXPECT_THAT(offered({"zzz"}), IsEmpty());
}

TEST(Completion, offers_the_verbs_of_a_kind_by_each_of_its_names) {
  for (const std::string kind : {"widget", "widgets", "wg"}) {
    EXPECT_THAT(offered({kind, ""}), ElementsAre("take", "run", "giveback", "look", "list", "make")) << kind;
  }
  EXPECT_THAT(offered({"-n", "team", "party", "l"}), ElementsAre("look", "list"));
  EXPECT_THAT(offered({"status", ""}), ElementsAre("widget", "party"));
}

TEST(Completion, asks_for_names_of_the_kind_once) {
  const Completion got = at({"widget", "take", "q-"});
  EXPECT_EQ(got.also, Also::primitives);
  EXPECT_EQ(got.kind->names.kind, "Widget");
  EXPECT_EQ(got.prefix, "q-");
  EXPECT_EQ(at({"status", "pt", ""}).also, Also::primitives);
  EXPECT_EQ(at({"widget", "take", "q", ""}).also, Also::nothing);
  EXPECT_EQ(at({"widget", "list", ""}).also, Also::nothing);
}

TEST(Completion, knows_where_to_ask) {
  const Completion got = at({"-n", "team", "widget", "look", "--context=c", "--kubeconfig", "f", ""});
  EXPECT_EQ(got.global.ns, "team");
  EXPECT_EQ(got.global.context, "c");
  EXPECT_EQ(got.global.kubeconfig, "f");
  EXPECT_EQ(got.also, Also::primitives);
}

TEST(Completion, offers_flags_of_the_command_and_of_all_commands) {
  EXPECT_THAT(offered({"widget", "take", "--"}), Contains("--size"));
  EXPECT_THAT(offered({"widget", "take", "q", "--"}), Contains("--namespace"));
  EXPECT_THAT(offered({"widget", "giveback", "--"}), Not(Contains("--size")));
  EXPECT_THAT(offered({"widget", "take", "--si"}), ElementsAre("--size"));
  EXPECT_EQ(at({"widget", "take", "--si"}).words[0].help, "how much");
}

TEST(Completion, offers_values_where_there_are_few) {
  EXPECT_THAT(offered({"widget", "list", "-o", ""}), ElementsAre("json", "yaml", "name", "wide", "table"));
  EXPECT_THAT(offered({"widget", "list", "--output=y"}), ElementsAre("--output=yaml"));
  EXPECT_THAT(offered({"widget", "list", "--output", "=", "y"}), ElementsAre("yaml")) << "as bash cuts it";
  EXPECT_THAT(offered({"widget", "list", "--output", "="}), ElementsAre("json", "yaml", "name", "wide", "table"));
  EXPECT_THAT(offered({"widget", "make", "--finish", "G"}), ElementsAre("Glossy"));
  EXPECT_THAT(offered({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(offered({"explain", "p"}), ElementsAre("party"));
}

TEST(Completion, asks_for_namespaces_claims_and_files_by_the_flag) {
  EXPECT_EQ(at({"widget", "list", "-n", ""}).also, Also::namespaces);
  EXPECT_EQ(at({"widget", "giveback", "q", "--claim", ""}).also, Also::claims);
  EXPECT_EQ(at({"widget", "giveback", "q", "--claim=x"}).before, "--claim=");
  EXPECT_EQ(at({"--kubeconfig", ""}).also, Also::files);
  EXPECT_EQ(at({"--plugin-dir", "/t"}).also, Also::files);
  EXPECT_EQ(at({"widget", "take", "q", "--ttl", ""}).also, Also::nothing);
  EXPECT_THAT(offered({"widget", "take", "q", "--ttl", ""}), IsEmpty());
  EXPECT_EQ(at({"widget", "take", "q", "--", "ls", "-"}).also, Also::files);
}

TEST(Completion, survives_whatever_was_typed) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{},
                                                                                     {"="},
                                                                                     {"-"},
                                                                                     {"--"},
                                                                                     {"--=", ""},
                                                                                     {"-n"},
                                                                                     {"=", "=", "="},
                                                                                     {"wodget", ""},
                                                                                     {"--nope=", "x"},
                                                                                     {"\x1b[2J", ""}}) {
    EXPECT_NE(at(words).also, Also::claims);
  }
}

TEST(CompletionScript, is_there_for_three_shells) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(completion_script(shell), testing::HasSubstr("__complete -- ")) << shell;
  }
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace konductor::kondctl::test
