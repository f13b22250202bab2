#include "kondctl/command_tree.hpp"
#include "kondctl/explanation.hpp"
#include "kondctl/man_page.hpp"
#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace konductor::kondctl::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<runtime::KindDeclaration>& kinds() {
  static const std::vector<runtime::KindDeclaration> all = [] {
    std::vector<runtime::KindDeclaration> made{widget_kind(), party_kind()};
    made[0].spec_schema = R"({"required": ["size"], "properties": {
      "size": {"type": "integer", "description": "How large it is, in a description that is long enough to be broken into two lines of text."},
      "finish": {"type": "string", "enum": ["Matt", "Glossy"], "description": "The look."},
      "parts": {"type": "array", "description": "What it is made of.", "items": {"type": "object", "properties": {
        "weight": {"type": "integer", "description": "In grams."}}}}}})";
    made[0].description = ".so /etc/passwd \\fBbold\\fR";
    return made;
  }();
  return all;
}

std::string explained(const std::string& path) {
  const auto text = explain(kinds(), path);
  return text ? *text : text.error().detail;
}

TEST(Explain, shows_a_kind_as_kubectl_does) {
  const std::string text = explained("widget");
  EXPECT_THAT(text, testing::StartsWith(
                        "GROUP:      sync.konductor.io\nKIND:       Widget\nVERSION:    v1\n\nDESCRIPTION:\n    .so"));
  EXPECT_THAT(text, HasSubstr("FIELDS:\n  apiVersion\t<string>\n    Group and version of this object.\n"));
  EXPECT_THAT(text, HasSubstr("  spec\t<Object> -required-\n"));
}

TEST(Explain, follows_a_path_into_lists) {
  EXPECT_THAT(
      explained("wg.spec.size"),
      HasSubstr(
          "FIELD: size <integer>\n\nDESCRIPTION:\n    How large it is, in a description that is long enough to be "
          "broken into two\n    lines of text.\n"));
  EXPECT_THAT(explained("widgets.spec.parts"), HasSubstr("FIELD: parts <[]Object>"));
  EXPECT_THAT(explained("Widget.spec.parts.weight"),
              HasSubstr("FIELD: weight <integer>\n\nDESCRIPTION:\n    In grams.\n"));
  EXPECT_THAT(explained("widget.spec.finish"), HasSubstr("ENUM:\n    Matt\n    Glossy\n"));
  EXPECT_THAT(explained("widget.spec"), HasSubstr("  size\t<integer> -required-\n"));
  EXPECT_THAT(explained("widget.status"), HasSubstr("conditions\t<[]Object>"));
}

TEST(Explain, knows_claims_too) {
  EXPECT_THAT(explained("ticket"), HasSubstr("KIND:       Ticket"));
  EXPECT_THAT(explained("gs.spec.seat"), HasSubstr("FIELD: seat <string>"));
}

TEST(Explain, guesses_what_was_meant) {
  EXPECT_THAT(
      explained("wodget"),
      HasSubstr("there is no kind \"wodget\"; there are: widget, ticket, party, guest; did you mean \"widget\"?"));
  EXPECT_THAT(explained("widget.spec.sise"), HasSubstr("Widget field \"spec\" has no field \"sise\"; it has: "));
  EXPECT_THAT(explained("widget.spec.sise"), HasSubstr("did you mean \"size\"?"));
  EXPECT_EQ(explained("widget.spec.size.x"), "Widget field \"size\" has no field \"x\"");
  EXPECT_THAT(explained(""), HasSubstr("there is no kind \"\""));
  EXPECT_THAT(explain({}, "widget").error().detail, HasSubstr("no plugin is loaded"));
}

TEST(ManPage, has_every_command_and_flag_of_a_kind) {
  const CommandDescription root = CommandTree(kinds()).describe();
  const std::string page = man_page_of_kind(root.commands.at(0), "1.2.3");
  EXPECT_THAT(page, testing::StartsWith(".TH \"KONDCTL\\-WIDGET\" 1 \"\" \"kondctl 1.2.3\" \"Konductor\"\n.SH NAME\n"));
  for (const std::string part :
       {".SS \"take\"", "\\fB\\-\\-size\\fR \\fIN\\fR\nhow much", "\\fB\\-\\-wait\\fR\n", ".SS \"look\""}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  const std::string own = man_page(root, "1.2.3");
  for (const std::string part :
       {"\\fB\\-n\\fR, \\fB\\-\\-namespace\\fR \\fINS\\fR", "kondctl\\-widget\\fR(1)", "124 timed out", "NO_COLOR"}) {
    EXPECT_THAT(own, HasSubstr(part));
  }
}

TEST(ManPage, takes_no_orders_from_a_plugin) {
  const std::string page = man_page_of_kind(CommandTree(kinds()).describe().commands.at(0), "1");
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd \\efBbold\\efR\n"));
  EXPECT_THAT(page, Not(HasSubstr("\n.so")));
}

TEST(UnknownFlag, is_named_and_guessed_at) {
  const auto said = [](const std::vector<std::string>& args) {
    CommandTree tree(kinds());
    const auto result = tree.parse(args);
    return std::holds_alternative<Farewell>(result) ? std::get<Farewell>(result).err : "accepted";
  };
  EXPECT_EQ(said({"widget", "take", "q", "--szie=3"}),
            "kondctl: there is no flag \"--szie\" here; did you mean \"--size\"? (see --help)\n");
  EXPECT_THAT(said({"widget", "take", "q", "--namspace=x"}), HasSubstr("did you mean \"--namespace\"?"));
  EXPECT_THAT(said({"widget", "take", "q", "--xyzzyx"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(said({"widget", "take", "q", "r"}), HasSubstr("r"));
}

TEST(ProgramName, is_what_the_user_typed) {
  CommandTree tree(kinds(), "kubectl konductor");
  const std::vector<std::string> args{"--help"};
  EXPECT_THAT(std::get<Farewell>(tree.parse(args)).out, HasSubstr("Usage: kubectl konductor "));
}

}  // namespace
}  // namespace konductor::kondctl::test
