#include "runtime/json_path.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::runtime {
namespace {

using nlohmann::json;

TEST(JsonPath, finds_what_is_there_and_nothing_else) {
  const json object = {{"a", {{"b", {{"c", 7}}}, {"list", {1}}, {"text", "x"}, {"yes", true}}}};
  EXPECT_EQ(*find_path(object, "a.b.c"), 7);
  EXPECT_EQ(find_path(object, ""), &object);
  for (const char* missing : {"b", "a.c", "a.b.c.d", "a.list.0", "a..b", "a.text.x", ".a"})
    EXPECT_EQ(find_path(object, missing), nullptr) << missing;
  EXPECT_EQ(find_path(json(3), "a"), nullptr);
}

TEST(JsonPath, gives_values_of_the_asked_type_only) {
  const json object = {{"text", "x"}, {"number", 7}, {"half", 0.5}, {"yes", true}, {"none", nullptr}};
  EXPECT_EQ(text_at(object, "text"), "x");
  EXPECT_EQ(text_at(object, "number"), "");
  EXPECT_EQ(integer_at(object, "number"), 7);
  EXPECT_EQ(integer_at(object, "half"), std::nullopt);
  EXPECT_EQ(integer_at(object, "text"), std::nullopt);
  EXPECT_EQ(boolean_at(object, "yes"), true);
  EXPECT_EQ(boolean_at(object, "none"), std::nullopt);
}

}  // namespace
}  // namespace konductor::runtime
