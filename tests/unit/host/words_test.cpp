#include "host/words.hpp"

#include "host/json_text.hpp"
#include "host/yaml_printer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <string>

namespace konductor::host {
namespace {

TEST(Words, dns_labels) {
  const std::string longest(63, 'a');
  for (const auto& good : {std::string("a"), std::string("9"), std::string("a-b"), longest})
    EXPECT_TRUE(is_dns_label(good)) << good;
  for (const auto& bad :
       {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a.b"), longest + "a"}) {
    EXPECT_FALSE(is_dns_label(bad)) << bad;
  }
  EXPECT_FALSE(is_resource_word("9a"));
  EXPECT_TRUE(is_dns_subdomain("batch.example.io"));
  EXPECT_FALSE(is_dns_subdomain("batch..io"));
  EXPECT_FALSE(is_dns_subdomain(""));
}

TEST(Words, of_declarations) {
  EXPECT_TRUE(is_kind_word("LampShade2"));
  EXPECT_FALSE(is_kind_word("lampShade"));
  EXPECT_TRUE(is_reason_word("TooMany_3"));
  EXPECT_FALSE(is_reason_word("Too many"));
  EXPECT_FALSE(is_reason_word("Too_"));
  EXPECT_TRUE(is_dotted_path("spec.pod.uid"));
  for (const char* bad : {"", ".", "spec.", ".spec", "spec..a", "spec.a-b", "spec.A"})
    EXPECT_FALSE(is_dotted_path(bad)) << bad;
  for (const char* good : {"0.1.0", "1.2.3-rc.1", "1.2.3+b5"}) EXPECT_TRUE(is_semantic_version(good)) << good;
  for (const char* bad : {"", "1.2", "1.2.x", "1..2", "v1.2.3", "1.2.3 "})
    EXPECT_FALSE(is_semantic_version(bad)) << bad;
}

TEST(JsonText, knows_well_formed_utf8) {
  for (const char* good : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
    EXPECT_TRUE(is_text(good)) << good;
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_text(bad)) << bad;
  }
  EXPECT_FALSE(is_text(std::string_view("a\0b", 3)));
}

TEST(JsonText, accepts_depth_inside_strings_only) {
  EXPECT_TRUE(parse_object("{\"a\": \"" + std::string(500, '[') + "\\\"{{{\"}", 4096));
  EXPECT_FALSE(parse_object("{\"a\": " + std::string(500, '['), 4096));
}

TEST(YamlPrinter, prints_what_a_yaml_parser_reads_back_as_the_same) {
  const nlohmann::json value = {{"plain", "some words (and more), v1"},
                                {"colon", "a: b"},
                                {"hash", "a #b"},
                                {"yes", "yes"},
                                {"No", "No"},
                                {"number", "12"},
                                {"exp", "1e3"},
                                {"empty", ""},
                                {"space", " x "},
                                {"newline", "a\nb"},
                                {"quote", "\"it's\""},
                                {"unicode", "\xC3\xA9"},
                                {"duration", "10m"},
                                {"null", "null"},
                                {"tilde", "~"},
                                {"list", {1, "two", {{"a", 1}, {"b", {"c", {{"d", true}}}}}}},
                                {"nested", {{"none", nlohmann::json::object()}, {"no", nlohmann::json::array()}}},
                                {"pattern", R"(^([0-9]+(\.[0-9]+)?)$)"},
                                {"lists", {{1, 2}, {3}}}};
  const std::string yaml = to_yaml(value);
  const YAML::Node read = YAML::Load(yaml);
  for (const auto& [key, member] : value.items()) {
    if (!member.is_string()) continue;
    EXPECT_EQ(read[key].as<std::string>(), member.get<std::string>()) << yaml;
  }
  EXPECT_EQ(read["yes"].Tag(), "!") << "quoted, else it would be a boolean";
  EXPECT_EQ(read["number"].Tag(), "!");
  EXPECT_EQ(read["plain"].Tag(), "?");
  EXPECT_EQ(read["list"][0].as<int>(), 1);
  EXPECT_EQ(read["list"][2]["b"][1]["d"].as<bool>(), true);
  EXPECT_EQ(read["lists"][0][1].as<int>(), 2);
  EXPECT_TRUE(read["nested"]["none"].IsMap());
  EXPECT_TRUE(read["nested"]["no"].IsSequence());
}

}  // namespace
}  // namespace konductor::host
