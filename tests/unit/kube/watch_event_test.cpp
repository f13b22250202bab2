#include "kube/watch_event.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace konductor::kube {
namespace {

constexpr const char* modified =
    R"({"type":"MODIFIED","object":{"kind":"Widget","metadata":{"name":"x","resourceVersion":"7"}}})";

TEST(WatchEvent, has_type_object_and_version) {
  const struct {
    const char* name;
    WatchEventType type;
  } cases[] = {{"ADDED", WatchEventType::added},
               {"MODIFIED", WatchEventType::modified},
               {"DELETED", WatchEventType::deleted},
               {"BOOKMARK", WatchEventType::bookmark}};
  for (const auto& c : cases) {
    const std::string line =
        std::string(R"({"type":")") + c.name + R"(","object":{"metadata":{"name":"x","resourceVersion":"7"}}})";
    const auto event = parse_watch_line(line);
    ASSERT_TRUE(event.has_value()) << line;
    EXPECT_EQ(event->type, c.type);
    EXPECT_EQ(event->resource_version, "7");
    EXPECT_EQ((*event->object)["metadata"]["name"], "x");
  }
}

TEST(WatchEvent, becomes_the_error_that_a_status_says) {
  const auto event = parse_watch_line(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}})");
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, Errc::expired);
  EXPECT_EQ(event.error().detail, "expired: too old resource version");
  EXPECT_EQ(parse_watch_line(R"({"type":"ERROR","object":{}})").error().code, Errc::unavailable);
}

TEST(WatchEvent, refuses_garbage) {
  for (const char* line : {"", "x", "null", "[]", "7", "{}", R"({"type":"ADDED"})", R"({"type":"ADDED","object":null})",
                           R"({"type":"ADDED","object":[]})", R"({"type":"ODD","object":{}})",
                           R"({"type":7,"object":{}})", R"({"object":{}})", R"({"type":"ADDED","object":{})"}) {
    const auto event = parse_watch_line(line);
    ASSERT_FALSE(event.has_value()) << line;
    EXPECT_EQ(event.error().code, Errc::protocol_violation) << line;
  }
}

TEST(WatchEvent, leaves_a_missing_version_empty) {
  for (const char* line : {R"({"type":"ADDED","object":{}})", R"({"type":"ADDED","object":{"metadata":[]}})",
                           R"({"type":"ADDED","object":{"metadata":{"resourceVersion":7}}})"}) {
    EXPECT_EQ(parse_watch_line(line).value().resource_version, "") << line;
  }
}

TEST(WatchEvent, survives_any_line) {
  std::mt19937 random(4);
  int good = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto event = parse_watch_line(mutated(modified, random));
    if (!event) continue;
    ++good;
    ASSERT_NE(event->object, nullptr);
    EXPECT_TRUE(event->object->is_object());
  }
  EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace konductor::kube
