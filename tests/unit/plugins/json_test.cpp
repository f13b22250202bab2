#include <konductor/json.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace konductor::plugin {
namespace {

TEST(JsonObject, reads_members_by_type) {
  const std::string text =
      R"( { "n" : -12 , "s":"a\"\\\/\u00e9\ud83d\ude00\n", "t":true,"f":false,"z":null, "o":{"n":[1,{"n":2}]}, "big":9223372036854775807 } )";
  const auto object = JsonObject::parse(text);
  ASSERT_TRUE(object);
  EXPECT_EQ(object->integer("n"), -12);
  EXPECT_EQ(object->integer("big"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(object->string("s"), "a\"\\/\xC3\xA9\xF0\x9F\x98\x80\n");
  EXPECT_EQ(object->boolean("t"), true);
  EXPECT_EQ(object->boolean("f"), false);
  EXPECT_EQ(object->raw("z"), "") << "null is absent";
  EXPECT_EQ(object->object("o")->raw("n"), R"([1,{"n":2}])");
  EXPECT_FALSE(object->integer("missing"));
  EXPECT_FALSE(object->integer("s"));
  EXPECT_FALSE(object->string("n"));
  EXPECT_FALSE(object->boolean("n"));
  EXPECT_FALSE(object->object("n"));
}

TEST(JsonObject, takes_no_number_for_an_integer_that_is_none) {
  for (const char* number : {"1.0", "1e3", "9223372036854775808", "-9223372036854775809"}) {
    const std::string text = std::string(R"({"n":)") + number + "}";
    const auto object = JsonObject::parse(text);
    ASSERT_TRUE(object) << number;
    EXPECT_FALSE(object->integer("n")) << number;
  }
}

TEST(JsonObject, of_a_name_that_comes_twice_the_last_counts) {
  EXPECT_EQ(JsonObject::parse(R"({"a":1,"a":2})")->integer("a"), 2);
}

TEST(JsonObject, refuses_what_is_not_exactly_one_object) {
  const std::string deep(200, '[');
  for (const std::string& text : {std::string(""),
                                  std::string(" "),
                                  std::string("null"),
                                  std::string("[]"),
                                  std::string("{"),
                                  std::string("}"),
                                  std::string("{}{}"),
                                  std::string("{} x"),
                                  std::string(R"({"a"})"),
                                  std::string(R"({"a":})"),
                                  std::string(R"({"a":1,})"),
                                  std::string(R"({,"a":1})"),
                                  std::string(R"({a:1})"),
                                  std::string(R"({'a':1})"),
                                  std::string(R"({"a":01})"),
                                  std::string(R"({"a":+1})"),
                                  std::string(R"({"a":1.})"),
                                  std::string(R"({"a":.5})"),
                                  std::string(R"({"a":1e})"),
                                  std::string(R"({"a":-})"),
                                  std::string(R"({"a":tru})"),
                                  std::string(R"({"a":"b)"),
                                  std::string(R"({"a":"\x"})"),
                                  std::string(R"({"a":"\u12"})"),
                                  std::string(R"({"a":"\ud800"})"),
                                  std::string(R"({"a":"\udc00"})"),
                                  std::string(R"({"a":"\ud800\u0041"})"),
                                  std::string("{\"a\":\"\n\"}"),
                                  std::string(R"({"a":[1 2]})"),
                                  std::string(R"({"a":[1,]})"),
                                  std::string("{\"a\":1}\0", 8),
                                  R"({"a":)" + deep + "}"}) {
    EXPECT_FALSE(JsonObject::parse(text)) << text;
  }
}

TEST(JsonObject, agrees_with_another_parser_on_damaged_text) {
  const std::string seeds[] = {R"({"permits":5,"ttl":"10m","in":{"a":[1,-2.5,true,null],"b":"x\n\u0041"}})",
                               R"({"level":1000,"at":1700000000000000})", R"({ "a" : [ ] , "b" : { } })"};
  const std::string alphabet = "{}[]\":,0129-.tnu\\ \t";
  std::mt19937_64 random(11);
  int accepted = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string text = seeds[random() % std::size(seeds)];
    for (std::size_t edits = random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      const char letter = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: text[at] = letter; break;
        case 1: text.insert(at, 1, letter); break;
        default: text.erase(at, 1);
      }
    }
    const auto theirs = nlohmann::json::parse(text, nullptr, false);
    const auto ours = JsonObject::parse(text);
    ASSERT_EQ(ours.has_value(), !theirs.is_discarded() && theirs.is_object()) << text;
    if (!ours) continue;
    ++accepted;
    for (const auto& [name, value] : theirs.items()) {
      if (value.is_number_integer()) {
        ASSERT_EQ(ours->integer(name), value.get<std::int64_t>()) << text;
      } else if (value.is_string()) {
        ASSERT_EQ(ours->string(name), value.get<std::string>()) << text;
      }
      ASSERT_EQ(value.is_null(), ours->raw(name).empty()) << text;
      ASSERT_TRUE(value.is_null() || nlohmann::json::parse(ours->raw(name)) == value) << text;
    }
  }
  EXPECT_GT(accepted, 1'000);
}

TEST(JsonObject, survives_any_bytes) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 5'000; ++round) {
    std::string text = "{\"a\":";
    for (std::size_t i = random() % 40; i > 0; --i) text += static_cast<char>(random() % 256);
    const auto object = JsonObject::parse(text);
    ASSERT_TRUE(!object || object->raw("a").size() < text.size());
  }
}

TEST(JsonWriter, writes_what_any_parser_reads) {
  const std::string nasty("quote \" backslash \\ newline \n nul \0 tab \t del \x7f", 45);
  const std::string text = JsonWriter()
                               .integer("n", std::numeric_limits<std::int64_t>::min())
                               .boolean("b", true)
                               .string("s", nasty)
                               .string("k\"ey", "")
                               .json("z", "null")
                               .json("o", JsonWriter().integer("x", 1).text())
                               .text();
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json.at("n"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(json.at("b"), true);
  EXPECT_EQ(json.at("s").get<std::string>(), nasty);
  EXPECT_EQ(json.at("k\"ey"), "");
  EXPECT_TRUE(json.at("z").is_null());
  EXPECT_EQ(json.at("o").at("x"), 1);
  EXPECT_EQ(JsonWriter().text(), "{}");
  EXPECT_EQ(JsonObject::parse(text)->string("s"), nasty);
}

}  // namespace
}  // namespace konductor::plugin
