#include "runtime/watch_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace konductor::runtime {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = WatchMachine::State;

kube::Response answer(int status, const json& body, int retry_after_s = 0) {
  return {.status = status, .body = body.dump(), .retry_after_s = retry_after_s, .date = {}};
}

kube::Response refusal(int status, const std::string& message, int retry_after_s = 0) {
  return answer(status, {{"kind", "Status"}, {"code", status}, {"message", message}}, retry_after_s);
}

json object(const std::string& name, const std::string& version) {
  return {{"metadata", {{"name", name}, {"resourceVersion", version}}}};
}

kube::Response page(const std::string& version, const std::vector<std::string>& names, const std::string& next = {}) {
  json list = {{"metadata", {{"resourceVersion", version}, {"continue", next}}}, {"items", json::array()}};
  for (const std::string& name : names) list["items"].push_back(object(name, "1"));
  return answer(200, list);
}

std::string line(const std::string& type, const std::string& name, const std::string& version) {
  return json{{"type", type}, {"object", object(name, version)}}.dump();
}

std::string error_line(int code, const std::string& message) {
  return json{{"type", "ERROR"}, {"object", {{"kind", "Status"}, {"code", code}, {"message", message}}}}.dump();
}

/// "apply x@7", "begin", "synced @5", ...
std::string text_of(const ViewEvent& event) {
  const std::string name = event.object ? (*event.object)["metadata"]["name"].get<std::string>() : "";
  switch (event.kind) {
    case ViewEvent::Kind::begin: return "begin";
    case ViewEvent::Kind::apply: return "apply " + name + '@' + event.resource_version;
    case ViewEvent::Kind::remove: return "remove " + name + '@' + event.resource_version;
    case ViewEvent::Kind::synced: return "synced @" + event.resource_version;
    case ViewEvent::Kind::progress: return "progress @" + event.resource_version;
    case ViewEvent::Kind::failed: return "failed " + event.message;
  }
  return "?";
}

/// What a driver saw: the action as text, and the deltas.
class WatchMachineTest : public testing::Test {
 protected:
  static WatchSettings settings() {
    WatchSettings settings;
    settings.resource = {"example.com", "v1", "widgets"};
    settings.ns = "team-a";
    return settings;
  }

  std::string resume(const WatchMachine::Event& event) {
    WatchMachine::Step step = machine.resume(event, now, 0);
    deltas.clear();
    for (const ViewEvent& delta : step.deltas) deltas.push_back(text_of(delta));
    if (const auto* list = std::get_if<WatchMachine::SendList>(&step.action)) return "list " + query(list->request);
    if (const auto* wait = std::get_if<WatchMachine::Wait>(&step.action)) {
      return "wait " + std::to_string(wait->duration / 1ms);
    }
    if (std::holds_alternative<WatchMachine::KeepReading>(step.action)) return "read";
    const auto& watch = std::get<WatchMachine::OpenWatch>(step.action);
    idle_timeout = watch.idle_timeout;
    return "watch " + query(watch.request);
  }

  std::string list(kube::Response response) { return resume(WatchMachine::ListAnswered{std::move(response)}); }
  std::string read(const std::string& text) { return resume(WatchMachine::Line{text}); }
  std::string cut() { return resume(WatchMachine::StreamEnded{Error{Errc::unavailable, "connection reset"}}); }
  std::string end() { return resume(WatchMachine::StreamEnded{}); }

  /// With x known at version 5 and a stream open.
  void start_watching() {
    ASSERT_EQ(resume(WatchMachine::Started{}), first_list);
    ASSERT_EQ(list(page("5", {"x"})), watch_from("5"));
    ASSERT_EQ(resume(WatchMachine::StreamOpened{}), "read");
  }

  static std::string watch_from(const std::string& version) {
    return "watch watch=true&allowWatchBookmarks=true&resourceVersion=" + version + "&timeoutSeconds=290";
  }
  static std::string query(const kube::Request& request) { return request.target.substr(request.target.find('?') + 1); }

  const std::string first_list = "list limit=500";
  WatchMachine machine{settings()};
  MonoTime now{1000s};
  std::vector<std::string> deltas;
  Duration idle_timeout{};
};

TEST_F(WatchMachineTest, lists_then_watches_from_the_lists_version) {
  EXPECT_EQ(machine.state(), State::start);
  EXPECT_EQ(resume(WatchMachine::Started{}), first_list);
  EXPECT_EQ(machine.state(), State::listing);
  EXPECT_EQ(list(page("5", {"x", "y"})), watch_from("5"));
  EXPECT_THAT(deltas, ElementsAre("begin", "apply x@1", "apply y@1", "synced @5"));
  EXPECT_EQ(machine.state(), State::watching);
  EXPECT_EQ(idle_timeout, 300s);
  EXPECT_EQ(resume(WatchMachine::StreamOpened{}), "read");
}

TEST_F(WatchMachineTest, delivers_a_list_of_pages_at_once_and_at_the_version_of_the_first) {
  resume(WatchMachine::Started{});
  EXPECT_EQ(list(page("5", {"x"}, "c1")), "list limit=500&continue=c1");
  EXPECT_THAT(deltas, IsEmpty());
  EXPECT_EQ(list(page("6", {"y"}, "c2")), "list limit=500&continue=c2");
  EXPECT_THAT(deltas, IsEmpty());
  EXPECT_EQ(list(page("6", {"z"})), watch_from("5"));
  EXPECT_THAT(deltas, ElementsAre("begin", "apply x@1", "apply y@1", "apply z@1", "synced @5"));
}

TEST_F(WatchMachineTest, starts_a_list_over_when_its_continue_token_is_too_old_and_backs_off_the_second_time) {
  resume(WatchMachine::Started{});
  list(page("5", {"gone"}, "c1"));
  EXPECT_EQ(list(refusal(410, "token too old")), first_list);
  EXPECT_THAT(deltas, IsEmpty());
  list(page("7", {"gone"}, "c2"));
  EXPECT_EQ(list(refusal(410, "token too old")), "wait 50");
  EXPECT_THAT(deltas, ElementsAre("failed list widgets.example.com in namespace team-a: expired: token too old"));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
  list(page("9", {"x"}));
  EXPECT_THAT(deltas, ElementsAre("begin", "apply x@1", "synced @9"));
}

TEST_F(WatchMachineTest, passes_events_on_in_order) {
  start_watching();
  EXPECT_EQ(read(line("ADDED", "y", "6")), "read");
  EXPECT_THAT(deltas, ElementsAre("apply y@6"));
  EXPECT_EQ(read(line("MODIFIED", "x", "7")), "read");
  EXPECT_THAT(deltas, ElementsAre("apply x@7"));
  EXPECT_EQ(read(line("DELETED", "x", "8")), "read");
  EXPECT_THAT(deltas, ElementsAre("remove x@8"));
  EXPECT_EQ(read(line("BOOKMARK", "", "20")), "read");
  EXPECT_THAT(deltas, ElementsAre("progress @20"));
  EXPECT_EQ(machine.resource_version(), "20");
}

TEST_F(WatchMachineTest, resumes_after_a_clean_end_from_the_last_bookmark) {
  start_watching();
  read(line("BOOKMARK", "", "20"));
  EXPECT_EQ(end(), watch_from("20"));
  EXPECT_THAT(deltas, IsEmpty());
}

TEST_F(WatchMachineTest, resumes_at_once_after_a_long_quiet_stream_and_backs_off_after_a_short_one) {
  start_watching();
  now += 290s;
  EXPECT_EQ(end(), watch_from("5"));
  EXPECT_EQ(resume(WatchMachine::StreamOpened{}), "read");
  now += 1s;
  EXPECT_EQ(end(), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("ended the stream at once")));
}

TEST_F(WatchMachineTest, resumes_after_a_cut_from_the_last_event) {
  start_watching();
  read(line("MODIFIED", "x", "7"));
  EXPECT_EQ(cut(), "wait 50");
  EXPECT_EQ(machine.state(), State::waiting);
  EXPECT_THAT(deltas, ElementsAre("failed watch widgets.example.com in namespace team-a: connection reset"));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("7"));
  EXPECT_EQ(cut(), "wait 100");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("7"));
  EXPECT_EQ(cut(), "wait 200");
}

TEST_F(WatchMachineTest, starts_its_backoff_again_after_an_event) {
  start_watching();
  cut();
  resume(WatchMachine::WaitOver{});
  cut();
  resume(WatchMachine::WaitOver{});
  resume(WatchMachine::StreamOpened{});
  read(line("MODIFIED", "x", "7"));
  EXPECT_EQ(cut(), "wait 50");
}

TEST_F(WatchMachineTest, resumes_when_the_stream_is_silent_for_too_long) {
  start_watching();
  EXPECT_EQ(resume(WatchMachine::IdleTimeout{}), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("silent")));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("5"));
}

TEST_F(WatchMachineTest, lists_at_once_after_a_410_event_and_backs_off_the_second_time) {
  start_watching();
  EXPECT_EQ(read(error_line(410, "too old")), first_list);
  EXPECT_THAT(deltas, IsEmpty());
  EXPECT_EQ(list(page("9", {})), watch_from("9"));
  EXPECT_THAT(deltas, ElementsAre("begin", "synced @9"));
  resume(WatchMachine::StreamOpened{});
  EXPECT_EQ(read(error_line(410, "too old")), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("expired: too old")));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
}

TEST_F(WatchMachineTest, lists_at_once_when_a_watch_is_refused_with_410) {
  start_watching();
  end();
  resume(WatchMachine::WaitOver{});
  EXPECT_EQ(resume(WatchMachine::StreamRefused{refusal(410, "too old")}), first_list);
}

TEST_F(WatchMachineTest, resumes_after_one_error_event_and_lists_after_two_without_a_good_one) {
  start_watching();
  EXPECT_EQ(read(error_line(500, "stumbled")), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("the server failed: stumbled")));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("5"));
  resume(WatchMachine::StreamOpened{});
  EXPECT_EQ(read(error_line(500, "stumbled")), "wait 100");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
}

TEST_F(WatchMachineTest, lists_again_after_a_line_that_it_cannot_trust) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"garbage", "is not JSON"},
      {R"({"type":"ODD","object":{}})", "unknown type"},
      {line("MODIFIED", "x", ""), "no decimal integer"},
      {line("MODIFIED", "x", "7a"), "no decimal integer"},
      {line("BOOKMARK", "", ""), "no decimal integer"},
      {line("MODIFIED", "x", "4"), "went back from 5 to 4"},
  };
  for (const auto& [text, why] : cases) {
    machine = WatchMachine(settings());
    start_watching();
    EXPECT_EQ(read(text), "wait 50") << text;
    EXPECT_THAT(deltas, ElementsAre(HasSubstr(why)));
    EXPECT_EQ(machine.resource_version(), "5");
    EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list) << text;
  }
}

TEST_F(WatchMachineTest, does_not_take_a_list_that_it_cannot_trust_for_an_empty_one) {
  const std::vector<std::pair<kube::Response, std::string>> cases = {
      {answer(200, json::object()), "no resourceVersion"},
      {page("", {"x"}), "no resourceVersion"},
      {answer(200, {{"metadata", {{"resourceVersion", "5"}}}}), "no items"},
      {answer(200, {{"metadata", {{"resourceVersion", "5"}}}, {"items", 7}}), "no items"},
      {answer(200, {{"metadata", {{"resourceVersion", "5"}}}, {"items", {1}}}), "no object"},
      {kube::Response{.status = 200, .body = "<html>", .date = {}}, "no JSON object"},
  };
  for (const auto& [response, why] : cases) {
    machine = WatchMachine(settings());
    resume(WatchMachine::Started{});
    EXPECT_EQ(list(response), "wait 50") << why;
    EXPECT_THAT(deltas, ElementsAre(HasSubstr(why)));
    EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
  }
}

TEST_F(WatchMachineTest, does_not_follow_a_continue_token_that_leads_to_itself) {
  resume(WatchMachine::Started{});
  list(page("5", {"x"}, "c1"));
  EXPECT_EQ(list(page("5", {"x"}, "c1")), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("same continue token")));
}

TEST_F(WatchMachineTest, waits_as_long_as_the_server_asks) {
  resume(WatchMachine::Started{});
  EXPECT_EQ(list(refusal(429, "busy", 7)), "wait 7000");
  resume(WatchMachine::WaitOver{});
  list(page("5", {}));
  EXPECT_EQ(resume(WatchMachine::StreamRefused{refusal(503, "starting", 3)}), "wait 3000");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("5"));
}

TEST_F(WatchMachineTest, lists_again_after_it_was_forbidden_for_a_while) {
  start_watching();
  EXPECT_EQ(end(), "wait 50");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("5"));
  EXPECT_EQ(resume(WatchMachine::StreamRefused{refusal(403, "not any more")}), "wait 100");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
  EXPECT_EQ(list(page("9", {"x"})), watch_from("9"));
  EXPECT_THAT(deltas, ElementsAre("begin", "apply x@1", "synced @9"));
  EXPECT_EQ(resume(WatchMachine::StreamOpened{}), "read");
  EXPECT_THAT(deltas, IsEmpty()) << "the list has said that all is well";
}

TEST_F(WatchMachineTest, says_at_once_that_it_goes_on_where_all_is_quiet) {
  start_watching();
  EXPECT_EQ(cut(), "wait 50");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), watch_from("5"));
  EXPECT_THAT(deltas, IsEmpty());
  EXPECT_EQ(resume(WatchMachine::StreamOpened{}), "read");
  EXPECT_THAT(deltas, ElementsAre("progress @5"));
}

TEST_F(WatchMachineTest, passes_the_servers_words_on_when_it_is_forbidden) {
  resume(WatchMachine::Started{});
  EXPECT_EQ(list(refusal(403, "no list for you")), "wait 50");
  EXPECT_THAT(deltas, ElementsAre("failed list widgets.example.com in namespace team-a: forbidden: no list for you"));
}

TEST_F(WatchMachineTest, tries_again_until_the_type_is_installed) {
  resume(WatchMachine::Started{});
  const kube::Response missing{.status = 404, .body = "404 page not found\n", .date = {}};
  EXPECT_EQ(list(missing), "wait 50");
  EXPECT_THAT(deltas, ElementsAre(HasSubstr("CustomResourceDefinition is not installed")));
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
  list(page("5", {}));
  // It was removed again: what comes back is a new world.
  EXPECT_EQ(resume(WatchMachine::StreamRefused{missing}), "wait 100");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
}

TEST_F(WatchMachineTest, leaves_a_version_behind_that_the_server_does_not_take) {
  start_watching();
  read(line("MODIFIED", "x", "7"));
  end();
  EXPECT_EQ(resume(WatchMachine::StreamRefused{refusal(400, "bad version")}), "wait 50");
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
}

TEST_F(WatchMachineTest, backs_off_when_a_list_is_not_answered) {
  resume(WatchMachine::Started{});
  EXPECT_EQ(resume(WatchMachine::ListAnswered{Error{Errc::timeout, "no answer"}}), "wait 50");
  EXPECT_THAT(deltas, ElementsAre("failed list widgets.example.com in namespace team-a: no answer"));
}

TEST_F(WatchMachineTest, lists_when_its_consumer_asks_while_a_stream_is_read) {
  start_watching();
  machine.relist();
  EXPECT_EQ(read(line("MODIFIED", "x", "7")), first_list);
  EXPECT_THAT(deltas, ElementsAre("apply x@7"));
  EXPECT_EQ(list(page("9", {})), watch_from("9"));
  machine.relist();
  EXPECT_EQ(resume(WatchMachine::StreamOpened{}), first_list);
  list(page("10", {}));
  machine.relist();
  EXPECT_EQ(end(), first_list);
}

TEST_F(WatchMachineTest, delivers_no_list_that_began_before_its_consumer_asked) {
  resume(WatchMachine::Started{});
  list(page("5", {"x"}, "c1"));
  machine.relist();
  EXPECT_EQ(list(page("5", {"y"})), first_list);
  EXPECT_THAT(deltas, IsEmpty());
  EXPECT_EQ(list(page("6", {"y"})), watch_from("6"));
  EXPECT_THAT(deltas, ElementsAre("begin", "apply y@1", "synced @6"));
}

TEST_F(WatchMachineTest, lists_after_a_wait_when_its_consumer_asked) {
  start_watching();
  cut();
  machine.relist();
  EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
}

TEST_F(WatchMachineTest, recovers_from_a_failure_at_each_step) {
  const std::vector<WatchMachine::Event> script = {
      WatchMachine::ListAnswered{page("5", {"x"}, "c1")}, WatchMachine::ListAnswered{page("5", {"y"})},
      WatchMachine::StreamOpened{}, WatchMachine::Line{line("MODIFIED", "x", "7")},
      WatchMachine::Line{line("BOOKMARK", "", "8")}};
  for (std::size_t good = 0; good <= script.size(); ++good) {
    machine = WatchMachine(settings());
    resume(WatchMachine::Started{});
    for (std::size_t i = 0; i < good; ++i) resume(script[i]);
    const Error lost{Errc::unavailable, "lost"};
    const bool listing = machine.state() == State::listing;
    const std::string before = machine.resource_version();
    EXPECT_EQ(listing ? resume(WatchMachine::ListAnswered{lost}) : resume(WatchMachine::StreamEnded{lost}), "wait 50");
    EXPECT_EQ(resume(WatchMachine::WaitOver{}), listing ? first_list : watch_from(before)) << good;
  }
}

TEST_F(WatchMachineTest, backs_off_and_lists_after_an_event_out_of_turn) {
  const std::vector<WatchMachine::Event> events = {WatchMachine::ListAnswered{page("5", {})},
                                                   WatchMachine::StreamOpened{},
                                                   WatchMachine::StreamRefused{},
                                                   WatchMachine::Line{},
                                                   WatchMachine::StreamEnded{},
                                                   WatchMachine::IdleTimeout{},
                                                   WatchMachine::WaitOver{}};
  for (const auto& event : events) {
    machine = WatchMachine(settings());
    EXPECT_EQ(resume(event), "wait 50");
    EXPECT_THAT(deltas, ElementsAre(HasSubstr("out of turn")));
    EXPECT_EQ(resume(WatchMachine::WaitOver{}), first_list);
  }
}

}  // namespace
}  // namespace konductor::runtime
