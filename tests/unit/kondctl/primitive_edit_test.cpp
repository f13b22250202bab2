#include "kondctl/primitive_edit.hpp"

#include "kondctl/command_line.hpp"
#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;
using runtime::Action;
using runtime::ValueType;

/// The two kinds, with verbs that write the primitive itself.
const std::vector<runtime::KindDeclaration>& kinds() {
  static const std::vector<runtime::KindDeclaration> all = [] {
    std::vector<runtime::KindDeclaration> made{widget_kind(), party_kind()};
    const runtime::FlagDeclaration size{"size", "N", "how large", "spec.size", ValueType::integer, true, 0, 1000};
    runtime::FlagDeclaration any = size;
    any.required = false;
    const runtime::FlagDeclaration note{"note", "TEXT", "a note", "spec.texts.note", ValueType::string};
    const runtime::FlagDeclaration seat{"seat", "TEXT", "the best", "spec.seat", ValueType::string};
    made[0].commands.push_back({Action::create, "make", "Make one", {size, note}, {{"spec.origin", "\"shop\""}}});
    made[0].commands.push_back({Action::set, "change", "Change one", {any, note}, {}});
    made[0].commands.push_back({Action::delete_, "scrap", "Delete one", {}, {}});
    made[1].commands.push_back({Action::create, "plan", "Plan one", {seat}, {}});
    return made;
  }();
  return all;
}

CommandLine parse(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> args;
  for (std::string word; in >> word;) args.push_back(word);
  return parse_command_line(args, kinds());
}

json composed(const std::string& line) {
  const CommandLine result = parse(line);
  if (const auto* farewell = std::get_if<Farewell>(&result)) return farewell->err;
  const auto& got = std::get<Invocation>(result);
  if (got.action == Action::create) return compose_primitive(*got.kind, got.name, got.fields);
  return compose_change(got.fields);
}

TEST(PrimitiveEdit, creates_with_declared_and_fixed_fields_and_the_hosts_ttl) {
  EXPECT_EQ(composed("widget make q --size 5 --note x --ttl 5m"), json::parse(R"({
    "apiVersion": "sync.konductor.io/v1", "kind": "Widget", "metadata": {"name": "q"},
    "spec": {"origin": "shop", "size": 5, "texts": {"note": "x"}, "ttl": "5m"}})"));
}

TEST(PrimitiveEdit, creates_a_spec_that_is_empty_where_nothing_is_said) {
  EXPECT_EQ(composed("party plan p")["spec"], json::object());
}

TEST(PrimitiveEdit, a_text_may_be_longer_than_in_a_claim) {
  EXPECT_EQ(composed("party plan p --seat " + std::string(70, 'x'))["spec"]["seat"], std::string(70, 'x'));
}

TEST(PrimitiveEdit, changes_only_what_is_given) {
  EXPECT_EQ(composed("widget change q --size 0"), json::parse(R"({"spec": {"size": 0}})"));
  EXPECT_EQ(composed("widget change q --ttl 90s"), json::parse(R"({"spec": {"ttl": "1m30s"}})"));
}

TEST(PrimitiveEdit, refuses_what_can_not_be_meant) {
  EXPECT_EQ(composed("widget change q"), "kondctl: nothing to set: give at least one of --size, --note, --ttl\n");
  EXPECT_THAT(composed("widget make q"), testing::HasSubstr("--size"));
  EXPECT_THAT(composed("widget make q --size 1001"), testing::HasSubstr("--size must be from 0 to 1000"));
  EXPECT_THAT(composed("party plan p --ttl 5m"), testing::HasSubstr("--ttl"));
  EXPECT_THAT(composed("widget scrap"), testing::HasSubstr("NAME"));
}

TEST(PrimitiveEdit, says_what_was_set) {
  const std::vector<runtime::FixedValue> fields{
      {"spec.size", "6"}, {"spec.ttl", "\"5m\""}, {"spec.texts.note", "true"}};
  EXPECT_EQ(described(fields), "size 6, ttl 5m, texts.note true");
  EXPECT_EQ(described({}), "");
}

}  // namespace
}  // namespace konductor::kondctl::test
