#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

bool has(const std::vector<runtime::Outgoing>& sent, const std::string& what) {
  return std::ranges::any_of(sent, [&](const auto& out) { return about(out) == what; });
}

void pods_until(KindBench& bench, std::uint64_t rv) {
  bench.machine.on_pod({runtime::ViewEvent::Kind::progress, nullptr, std::to_string(rv), {}}, bench.now);
}

TEST(KindMachineUpkeep, asks_again_about_a_pod_that_the_watch_still_does_not_show) {
  KindBench bench;
  const auto w = Widget{.limit = 0, .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{.pod = "p1"}.object()}, .pods = {}});
  auto sent = bench.work();
  const auto question = std::ranges::find_if(sent, [](const auto& out) { return about(out) == "GET pods/pod-p1"; });
  ASSERT_NE(question, sent.end());
  bench.answer(*question, pod("p1", 200, "Running"));
  EXPECT_FALSE(has(bench.work_within(minutes{1}), "GET pods/pod-p1")) << "alive at 200, and the watch is at 110";
  pods_until(bench, 201);
  EXPECT_TRUE(has(bench.work_within(seconds{2}), "GET pods/pod-p1")) << "the watch is past 200 and shows nothing";
}

TEST(KindMachineUpkeep, writes_each_end_once_and_in_turn_however_many_come_at_once) {
  constexpr int count = 50;
  runtime::KindSettings settings;
  settings.parallel = 4;
  KindBench bench(widgets(), settings);
  std::vector<json> tickets;
  for (int i = 0; i < count; ++i)
    tickets.push_back(Ticket{.name = "t" + std::to_string(100 + i), .status = granted(i, 1, "60s")}.object());
  bench.start({.widgets = {Widget{.limit = count, .status = ledger(99, "100")}.object()}, .tickets = tickets});
  for (const auto& out : bench.work()) bench.lose(out);  // what it shows is not of interest
  bench.pass(seconds{61});
  std::vector<std::string> ended;
  std::uint64_t rv = 300;
  for (auto sent = bench.work(); !sent.empty(); sent = bench.work()) {
    EXPECT_LE(sent.size(), 4U);
    for (const auto& out : sent) {
      if (about(out).find("tickets") == std::string::npos) {
        bench.lose(out);
        continue;
      }
      EXPECT_EQ(body(out)["status"]["phase"], "Expired");
      const auto found = std::ranges::find_if(tickets, [&](const json& ticket) {
        return about(out) == "PATCH tickets/" + ticket["metadata"]["name"].get<std::string>() + "/status";
      });
      ASSERT_NE(found, tickets.end());
      ended.push_back(about(out));
      bench.answer(out, patched(*found, out.request.body, ++rv));
    }
  }
  EXPECT_EQ(ended.size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(std::ranges::is_sorted(ended, std::ranges::less_equal{})) << "who was due first is ended first";
}

TEST(KindMachineUpkeep, follows_a_primitives_new_ttl_for_who_waits) {
  KindBench bench;
  auto w = Widget{.limit = 0, .ttl = "10m", .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{}.object()}});
  for (const auto& out : bench.work_within(seconds{1})) bench.lose(out);
  bench.pass(seconds{30});
  w["spec"]["ttl"] = "1m";
  bench.widget(patched(w, "{}", 400));
  bench.work();
  bench.pass(seconds{31});
  const auto sent = bench.work();
  ASSERT_TRUE(has(sent, "PATCH tickets/a/status")) << testing::PrintToString(about(sent));
}

TEST(KindMachineUpkeep, of_a_new_leader_counts_from_what_it_saw_as_a_standby) {
  KindBench bench;
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {}});
  bench.machine.lead(false, bench.now);
  bench.ticket(Ticket{.status = granted(9, 1, "60s")}.object());
  bench.pass(seconds{61});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.machine.lead(true, bench.now);
  EXPECT_THAT(about(bench.work()), Contains("PATCH tickets/a/status"));
}

TEST(KindMachineUpkeep, records_on_beside_grants_that_cannot_be_told) {
  runtime::KindSettings settings;
  settings.batch = 4;
  KindBench bench(widgets(), settings);
  const auto w = Widget{.limit = 9, .status = ledger(9, "100", {{"a", 7}, {"b", 8}, {"c", 9}})}.object();
  bench.start({.widgets = {w},
               .tickets = {Ticket{.name = "a"}.object(), Ticket{.name = "b"}.object(), Ticket{.name = "c"}.object(),
                           Ticket{.name = "d"}.object()}});
  const auto tells = bench.work();
  ASSERT_EQ(tells.size(), 3U) << "and no record for one more while they are under way";
  for (const auto& tell : tells) bench.refuse(tell, 422, "Invalid", "a webhook says no");
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a", "ns/b", "ns/c", "ns/d"));
}

TEST(KindMachineUpkeep, ends_who_holds_before_it_asks_about_who_waits) {
  runtime::KindSettings settings;
  settings.parallel = 1;
  KindBench bench(widgets(), settings);
  std::vector<json> tickets;
  for (int i = 0; i < 9; ++i)
    tickets.push_back(Ticket{.name = "t" + std::to_string(i), .pod = "p" + std::to_string(i)}.object());
  tickets.push_back(Ticket{.name = "u", .pod = "holder", .status = granted(9)}.object());
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = tickets, .pods = {}});
  std::vector<std::string> asked;
  for (auto sent = bench.work(); sent.size() == 1 && asked.size() < 4; sent = bench.work()) {
    asked.push_back(about(sent[0]));
    bench.not_found(sent[0]);
  }
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_THAT(asked, Contains("PATCH tickets/u/status")) << testing::PrintToString(asked);
}
/// Sixty of one widget, whose grants are recorded and are being told, eight requests at a time; beside it widget "z".
struct Crowd {
  static constexpr int size = 60;

  explicit Crowd(const std::vector<json>& also = {}) {
    std::vector<Pending> pending;
    std::vector<json> tickets;
    for (int i = 0; i < size; ++i) {
      const auto name = "t" + std::to_string(i);
      pending.push_back({.name = name, .token = 100 + i});
      tickets.push_back(Ticket{.name = name}.object());
      told_by["PATCH tickets/" + name + "/status"] = tickets.back();
    }
    for (const auto& ticket : also) {
      tickets.push_back(ticket);
      others["PATCH tickets/" + ticket["metadata"]["name"].get<std::string>() + "/status"] = ticket;
    }
    const auto w = Widget{.limit = size, .status = ledger(99 + size, "100", pending)}.object();
    bench.start({.widgets = {w, z}, .tickets = tickets});
    go_on();
  }

  static runtime::KindSettings settings() {
    runtime::KindSettings settings;
    settings.parallel = 8;
    settings.keep_terminal = seconds{0};
    return settings;
  }

  void go_on() {
    for (auto& out : bench.work()) sent.push_back(std::move(out));
  }

  /// Answers one request after the other until one is `wanted`. How many were told before it.
  int told_before(const std::function<bool(const runtime::Outgoing&)>& wanted,
                  const std::function<void(int)>& on_told) {
    int told = 0;
    for (std::uint64_t rv = 200; !sent.empty() && told < size; ++rv) {
      const auto next = std::move(sent.front());
      sent.pop_front();
      if (wanted(next)) break;
      if (const auto ticket = told_by.find(about(next)); ticket != told_by.end()) {
        on_told(++told);
        bench.answer(next, patched(ticket->second, next.request.body, rv));
      } else if (const auto other = others.find(about(next)); other != others.end()) {
        bench.answer(next, patched(other->second, next.request.body, rv));
      } else if (about(next) == "PATCH widgets/z/status") {
        z = patched(z, next.request.body, rv);
        bench.answer(next, z);
      } else {
        bench.conflict(next);
      }
      go_on();
    }
    return told;
  }

  KindBench bench{widgets(), settings()};
  json z = Widget{.name = "z", .uid = "z-1", .status = ledger(50, "100")}.object();
  std::map<std::string, json> told_by;
  std::map<std::string, json> others;
  std::deque<runtime::Outgoing> sent;
};

TEST(KindMachineUpkeep, is_not_held_up_by_grants_that_never_pause) {
  const std::vector<json> silent = {Ticket{.name = "silent", .widget = "z", .status = granted(50, 1, "1s")}.object()};
  Crowd crowd(silent);
  crowd.bench.pass(seconds{2});
  const auto is_its_end = [](const auto& out) { return about(out) == "PATCH tickets/silent/status"; };
  EXPECT_LT(crowd.told_before(is_its_end, [](int) {}), 20) << "whose TTL is over held for as long as others were told";
}

// As after a time without a leader: each in its turn would end the last of them when all the others are told.
TEST(KindMachineUpkeep, ends_a_crowd_sooner_than_it_tells_another) {
  constexpr int silent = 30;
  std::vector<json> tickets;
  for (int i = 0; i < silent; ++i)
    tickets.push_back(Ticket{.name = "s" + std::to_string(i), .status = granted(i, 1, "1s")}.object());
  Crowd crowd(tickets);
  crowd.bench.pass(seconds{2});
  int left = silent;
  const auto is_last_end = [&left](const auto& out) {
    return about(out).starts_with("PATCH tickets/s") && --left == 0;
  };
  const int told = crowd.told_before(is_last_end, [](int) {});
  EXPECT_EQ(left, 0);
  EXPECT_LT(told, 25);
  EXPECT_GT(told, 0) << "and these go on meanwhile";
}

int told_before_the_neighbours_grant(Crowd& crowd) {
  const auto is_its_record = [](const auto& out) {
    return about(out) == "PATCH widgets/z/status" && body(out)["status"].contains("ledger") && !pending_of(out).empty();
  };
  return crowd.told_before(is_its_record, [&crowd](int told) {
    if (told == 5) crowd.bench.ticket(Ticket{.name = "waits", .rv = 150, .widget = "z"}.object());
  });
}

// While a crowd is told it wants to go on after each request, and finds no room: that is no turn of the other's.
TEST(KindMachineUpkeep, serves_a_neighbour_in_turn_while_a_crowd_is_told) {
  Crowd crowd;
  EXPECT_LT(told_before_the_neighbours_grant(crowd), 20) << "the crowd was told first, all of it";
}

TEST(KindMachineUpkeep, gives_no_turn_to_what_only_wants_tidying) {
  Crowd crowd;
  crowd.bench.ticket(Ticket{.name = "over", .rv = 149, .widget = "a", .status = {{"phase", "Denied"}}}.object());
  crowd.go_on();
  EXPECT_LT(told_before_the_neighbours_grant(crowd), 20) << "its turn came to nothing, again and again";
}

void start_with_forty_holders(KindBench& bench) {
  constexpr int crowd = 40;
  std::vector<json> tickets;
  for (int i = 0; i < crowd; ++i)
    tickets.push_back(Ticket{.name = "t" + std::to_string(i), .status = granted(i, 1, "60s")}.object());
  bench.start({.widgets = {Widget{.limit = crowd, .status = ledger(99, "100")}.object()}, .tickets = tickets});
  for (const auto& out : bench.work()) bench.lose(out);  // what it shows is not of interest
}

bool is_end(const runtime::Outgoing& out) {
  return about(out).starts_with("PATCH tickets/t");
}

TEST(KindMachineUpkeep, of_a_crowd_leaves_room_for_grants) {
  runtime::KindSettings settings;
  settings.parallel = 8;
  KindBench bench(widgets(), settings);
  start_with_forty_holders(bench);
  bench.pass(seconds{61});
  const auto ends = bench.work();
  EXPECT_EQ(std::ranges::count_if(ends, is_end), 6);
  bench.widget(Widget{.name = "z", .uid = "z-1", .rv = 400, .status = ledger(9, "100")}.object());
  bench.ticket(Ticket{.name = "waits", .rv = 401, .widget = "z"}.object());
  EXPECT_TRUE(has(bench.work(), "PATCH widgets/z/status")) << "while none of the ends is answered";
}

// What became due while nobody led is late already, all of it.
TEST(KindMachineUpkeep, of_a_crowd_goes_almost_alone_in_a_new_leaders_first_second) {
  runtime::KindSettings settings;
  settings.parallel = 16;
  KindBench bench(widgets(), settings);
  start_with_forty_holders(bench);
  bench.machine.lead(false, bench.now);
  bench.pass(seconds{61});
  bench.machine.lead(true, bench.now);
  const auto ends = bench.work();
  EXPECT_EQ(std::ranges::count_if(ends, is_end), 14);
  for (const auto& out : ends) bench.lose(out);
  bench.pass(seconds{1});
  EXPECT_EQ(std::ranges::count_if(bench.work(), is_end), 12);
}

TEST(KindMachineUpkeep, sends_nothing_while_the_server_asks_for_a_pause) {
  KindBench bench;
  const auto w = Widget{.limit = 0, .status = ledger(9, "100")}.object();
  const auto v = Widget{.name = "v", .uid = "v-1", .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w, v}, .tickets = {}});
  const auto shown = bench.work();
  ASSERT_THAT(shown, testing::SizeIs(2)) << "the counts of both";
  bench.throttle(shown[0], 1);
  bench.lose(shown[1]);
  bench.ticket(Ticket{.rv = 200, .widget = "v"}.object());
  bench.pass(milliseconds{999});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.pass(milliseconds{1});
  EXPECT_FALSE(bench.work().empty());
}

TEST(KindMachineUpkeep, pauses_all_for_two_seconds_at_most_as_it_may_be_one_object_that_is_refused) {
  KindBench bench;
  const auto w = Widget{.limit = 0, .status = ledger(9, "100")}.object();
  const auto v = Widget{.name = "v", .uid = "v-1", .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w, v}, .tickets = {}});
  const auto shown = bench.work();
  ASSERT_THAT(about(shown), ElementsAre("PATCH widgets/v/status", "PATCH widgets/w/status"));
  bench.throttle(shown[1], 20);
  bench.lose(shown[0]);
  EXPECT_THAT(bench.work_within(milliseconds{1999}), IsEmpty());
  EXPECT_THAT(about(bench.work_within(seconds{10})), ElementsAre("GET widgets/v"));
}

TEST(KindMachineUpkeep, pauses_no_longer_than_half_a_minute_whatever_the_server_asks_for) {
  KindBench bench;
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {}});
  bench.throttle(bench.only(), 3600);
  bench.ticket(Ticket{.rv = 200}.object());
  EXPECT_THAT(bench.work_within(milliseconds{29999}), IsEmpty());
  bench.pass(milliseconds{1});
  EXPECT_THAT(about(bench.work()), ElementsAre("GET widgets/w"));
}

TEST(KindMachineUpkeep, tells_before_it_decides_again) {
  KindBench bench;
  const auto w = Widget{.limit = 1, .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{}.object()}});
  const auto record = bench.only();
  bench.answer(record, patched(w, record.request.body, 120));
  const auto decided = bench.machine.counters().decisions;
  EXPECT_THAT(about(bench.machine.work(bench.now)), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(bench.machine.counters().decisions, decided);
  EXPECT_EQ(bench.machine.wake_at(), runtime::MonoTime::min()) << "and then at once";
}

}  // namespace
}  // namespace konductor::test
