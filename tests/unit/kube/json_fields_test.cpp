#include "kube/json_fields.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>

namespace konductor::kube {
namespace {

using nlohmann::json;

TEST(JsonFields, a_path_finds_what_is_there_and_nothing_else) {
  const json object = {{"a", {{"b", {{"c", 7}}}, {"list", {1}}, {"text", "x"}, {"none", nullptr}}}};
  EXPECT_EQ(*find_path(object, "a.b.c"), 7);
  EXPECT_EQ(find_path(object, ""), &object);
  ASSERT_NE(find_path(object, "a.none"), nullptr);
  EXPECT_TRUE(find_path(object, "a.none")->is_null());
  for (const char* missing : {"b", "a.c", "a.b.c.d", "a.list.0", "a..b", "a.text.x", "a.none.x", ".a"})
    EXPECT_EQ(find_path(object, missing), nullptr) << missing;
  EXPECT_EQ(find_path(json(3), "a"), nullptr);
}

TEST(JsonFields, a_member_is_found_by_its_whole_name_unless_it_is_null) {
  const json object = {{"kubernetes.io", {{"pod", "x"}}}, {"none", nullptr}};
  ASSERT_NE(member(object, "kubernetes.io"), nullptr);
  EXPECT_EQ(text_at(*member(object, "kubernetes.io"), "pod"), "x");
  EXPECT_EQ(member(object, "kubernetes.io.pod"), nullptr);
  EXPECT_EQ(member(object, "none"), nullptr);
  EXPECT_EQ(member(json::array({1}), "none"), nullptr);
}

TEST(JsonFields, gives_values_of_the_asked_type_only) {
  const json object = {{"text", "x"}, {"number", 7}, {"half", 0.5}, {"yes", true}, {"none", nullptr}};
  EXPECT_EQ(text_at(object, "text"), "x");
  EXPECT_EQ(text_at(object, "number"), "");
  EXPECT_EQ(text_at(object, "text.x"), "");
  EXPECT_EQ(integer_at(object, "number"), 7);
  EXPECT_EQ(integer_at(object, "half"), std::nullopt);
  EXPECT_EQ(integer_at(object, "text"), std::nullopt);
  EXPECT_EQ(boolean_at(object, "yes"), true);
  EXPECT_EQ(boolean_at(object, "none"), std::nullopt);
}

TEST(JsonFields, an_integer_outside_of_int64_is_none_instead_of_another_number) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(integer_at(json::parse(R"({"n": 9223372036854775807})"), "n"), most);
  EXPECT_EQ(integer_at(json::parse(R"({"n": -9223372036854775808})"), "n"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer_at(json::parse(R"({"n": 9223372036854775808})"), "n"), std::nullopt);
  EXPECT_EQ(integer_at(json::parse(R"({"n": 18446744073709551615})"), "n"), std::nullopt);
}

TEST(JsonFields, finds_a_condition_by_its_type_whatever_else_is_in_the_list) {
  const auto object = json::parse(
      R"({"status": {"conditions": [7, {"type": 3}, {"status": "True"}, {"type": "Ready", "status": "False"}]}})");
  ASSERT_NE(condition_of(object, "Ready"), nullptr);
  EXPECT_EQ(text_at(*condition_of(object, "Ready"), "status"), "False");
  EXPECT_EQ(condition_of(object, "Granted"), nullptr);
  for (const char* other : {"{}", "7", R"({"status": 1})", R"({"status": {"conditions": {"type": "Ready"}}})"})
    EXPECT_EQ(condition_of(json::parse(other), "Ready"), nullptr) << other;
}

}  // namespace
}  // namespace konductor::kube
