#include "kondctl/primitive_tables.hpp"

#include "widgets.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;

const kube::WallTime now = *kube::parse_rfc3339("2024-01-15T10:30:00Z");

json widget(const std::string& name, int size) {
  return {{"metadata",
           {{"name", name},
            {"namespace", "team"},
            {"creationTimestamp", "2024-01-13T05:30:00Z"},
            {"annotations", {{"example.com/note", "hello"}}},
            {"managedFields", {{{"manager", "x"}}}}}},
          {"spec", {{"size", size}}}};
}

json party(const std::string& phase) {
  return {{"metadata", {{"name", "p"}, {"creationTimestamp", "2024-01-15T10:29:15Z"}}}, {"status", {{"phase", phase}}}};
}

TEST(PrimitiveTables, have_the_columns_of_the_kind) {
  const std::vector<json> objects{widget("q", 5), widget("longer", 10)};
  EXPECT_EQ(table_of_primitives(objects, widget_kind(), {}, now),
            "NAME     SIZE   AGE\n"
            "q        5      2d5h\n"
            "longer   10     2d5h\n");
}

TEST(PrimitiveTables, show_more_when_wide_and_say_where_and_what_it_is) {
  EXPECT_EQ(table_of_primitives({widget("q", 5)}, widget_kind(), {true, true, true, false}, now),
            "NAMESPACE   NAME       SIZE   NOTE    AGE\n"
            "team        widget/q   5      hello   2d5h\n");
}

TEST(PrimitiveTables, paint_phases_only_where_colours_are_wanted) {
  EXPECT_EQ(table_of_primitives({party("Begun")}, party_kind(), {}, now),
            "NAME   PHASE   AGE\n"
            "p      Begun   45s\n");
  EXPECT_EQ(table_of_primitives({party("Begun")}, party_kind(), {false, false, false, true}, now),
            "NAME   PHASE   AGE\n"
            "p      \x1b[32mBegun\x1b[0m   45s\n");
}

TEST(PrimitiveTables, know_good_phases_from_bad_ones) {
  EXPECT_EQ(colour_of(party("Begun"), party_kind()), Colour::good);
  EXPECT_EQ(colour_of(party("CalledOff"), party_kind()), Colour::bad);
  EXPECT_EQ(colour_of(party("Waiting"), party_kind()), Colour::attention);
  EXPECT_EQ(colour_of(party(""), party_kind()), Colour::none);
  EXPECT_EQ(colour_of(party("Ready"), widget_kind()), Colour::good);
  json invalid = party("Ready");
  invalid["status"]["conditions"] = json::array({{{"type", "Ready"}, {"status", "False"}}});
  EXPECT_EQ(colour_of(invalid, widget_kind()), Colour::bad);
}

TEST(PrimitiveTables, make_a_list_without_what_only_the_server_needs) {
  const json list = as_list({widget("q", 5)});
  EXPECT_EQ(list["kind"], "List");
  EXPECT_EQ(list["items"][0]["metadata"]["name"], "q");
  EXPECT_FALSE(list["items"][0]["metadata"].contains("managedFields"));
  EXPECT_EQ(as_list({}).dump(), R"({"apiVersion":"v1","items":[],"kind":"List"})");
  EXPECT_EQ(presentable(json("text")), json("text"));
}

TEST(Colours, only_on_a_terminal_that_has_them_and_whose_user_does_not_mind) {
  EXPECT_TRUE(may_paint(true, "", "xterm-256color"));
  EXPECT_FALSE(may_paint(false, "", "xterm"));
  EXPECT_FALSE(may_paint(true, "1", "xterm"));
  EXPECT_FALSE(may_paint(true, "", "dumb"));
  EXPECT_EQ(painted("x", Colour::none), "x");
  EXPECT_EQ(painted("", Colour::bad), "");
}

}  // namespace
}  // namespace konductor::kondctl::test
