#include "runtime/event_write.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace konductor::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime noon{seconds{1'700'000'000}};

nlohmann::json written(const EventSubject& subject, const PlanEvent& event, std::uint64_t serial = 1) {
  return nlohmann::json::parse(event_write({subject, event}, "konductor", serial, noon).body);
}

TEST(EventWrite, is_about_its_subject) {
  const auto event = written({"Widget", {"ns", "w"}, "u-1", "77"}, {true, "Sad", "it is broken"});
  EXPECT_EQ(event["involvedObject"]["apiVersion"], "sync.konductor.io/v1");
  EXPECT_EQ(event["involvedObject"]["kind"], "Widget");
  EXPECT_EQ(event["involvedObject"]["uid"], "u-1");
  EXPECT_EQ(event["metadata"]["namespace"], "ns");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "Sad");
  EXPECT_EQ(event["message"], "it is broken");
  EXPECT_EQ(event["source"]["component"], "konductor");
}

TEST(EventWrite, has_a_name_of_its_own_that_is_never_too_long) {
  std::set<std::string> names;
  for (const std::size_t length : {1U, 63U, 230U, 253U})
    for (const std::uint64_t serial : {1U, 2U})
      names.insert(written({"Widget", {"ns", std::string(length, 'a')}, "u", "1"}, {}, serial)["metadata"]["name"]);
  EXPECT_EQ(names.size(), 8U);
  for (const auto& name : names) EXPECT_LE(name.size(), 253U);
}

TEST(EventWrite, cuts_a_message_between_characters) {
  std::string message(1023, 'x');
  message += "\xC3\xA9";
  EXPECT_EQ(written({"Widget", {"ns", "w"}, "u", "1"}, {false, "R", message})["message"], std::string(1023, 'x'));
}

}  // namespace
}  // namespace konductor::runtime
