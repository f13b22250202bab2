#include "kondctl/table.hpp"

#include "kondctl/json_path.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;

const kube::WallTime now = *kube::parse_rfc3339("2024-01-15T10:30:00Z");

TEST(Table, pads_columns_and_leaves_no_blanks_at_the_end) {
  EXPECT_EQ(render_table({{"NAME", "SIZE"}, {"a", "10"}, {"longer", ""}, {"\xc3\xa4", "1"}}),
            "NAME     SIZE\na        10\nlonger\n\xc3\xa4        1\n");
}

TEST(Table, gives_a_terminal_nothing_to_obey) {
  EXPECT_EQ(render_table({{"  NAME", "X"}, {"a\x1b[2J\n\xe2\x80\xae", "1"}}),
            "  NAME               X\na\\x1b[2J\\x0a\\u202e   1\n");
}

TEST(Table, shows_ages_as_kubectl_does) {
  struct Case {
    std::string time;
    std::string age;
  };
  for (const Case& one :
       {Case{"2024-01-15T10:29:15Z", "45s"}, Case{"2024-01-15T10:24:30Z", "5m30s"}, Case{"2024-01-15T10:10:00Z", "20m"},
        Case{"2024-01-15T06:20:00Z", "4h10m"}, Case{"2024-01-14T10:30:00Z", "24h"}, Case{"2024-01-01T00:00:00Z", "14d"},
        Case{"2024-01-13T10:30:00Z", "2d"}, Case{"2024-01-13T05:30:00Z", "2d5h"},
        Case{"2021-06-15T10:30:00Z", "2y214d"}, Case{"2010-01-15T10:30:00Z", "14y"}, Case{"2024-01-15T07:30:00Z", "3h"},
        Case{"2025-01-01T00:00:00Z", "0s"}, Case{"", "<unknown>"}, Case{"soon", "<unknown>"}}) {
    EXPECT_EQ(age(one.time, now), one.age) << one.time;
  }
}

TEST(Cell, shows_what_a_column_points_to) {
  const json object = {
      {"metadata", {{"annotations", {{"a.b/c", "note"}}}, {"creationTimestamp", "2024-01-15T10:29:15Z"}}},
      {"spec", {{"size", 5}, {"list", {"x", "y"}}, {"on", true}, {"evil", "a\x1b[2Jb\n"}}}};
  struct Case {
    std::string path;
    std::string type;
    std::string shows;
  };
  for (const Case& one :
       {Case{".spec.size", "integer", "5"}, Case{"spec.size", "integer", "5"}, Case{".spec.list[1]", "string", "y"},
        Case{".spec.list[2]", "string", ""}, Case{".spec.list[x]", "string", ""}, Case{".spec.on", "boolean", "true"},
        Case{".metadata.annotations.a\\.b/c", "string", "note"}, Case{".metadata.creationTimestamp", "date", "45s"},
        Case{".spec.none.deeper", "string", ""}, Case{".spec.size.deeper", "string", ""},
        Case{".spec[", "string", ""}}) {
    EXPECT_EQ(cell(object, {runtime::Place::primitive, 0, "X", one.type, one.path, ""}, now), one.shows) << one.path;
  }
  const std::string evil = cell(object, {runtime::Place::primitive, 0, "X", "string", ".spec.evil", ""}, now);
  EXPECT_EQ(evil.find('\x1b'), std::string::npos);
  EXPECT_EQ(evil.find('\n'), std::string::npos);
}

TEST(SetPath, makes_the_objects_on_the_way) {
  json object = {{"spec", 5}};
  set_path(object, "spec.a.b", 1);
  set_path(object, "spec.c", "x");
  EXPECT_EQ(object, json({{"spec", {{"a", {{"b", 1}}}, {"c", "x"}}}}));
}

}  // namespace
}  // namespace konductor::kondctl::test
