// Who many claims at once stand for: found out with room left for all else.
#include "participants_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace konductor::test {
namespace {

using nlohmann::json;
using testing::SizeIs;

/// 120 with Pods for one widget, eight requests at a time; every request is answered in its turn.
struct KindMachineCrowdOfParticipants : KindMachineParticipants {
  static constexpr int size = 120;
  static runtime::KindSettings settings() {
    runtime::KindSettings settings;
    settings.parallel = 8;
    return settings;
  }
  KindMachineCrowdOfParticipants() {
    bench = KindBench(counting_widgets(), settings());
    w["spec"]["limit"] = size;
    std::vector<json> tickets;
    for (int i = 0; i < size; ++i) {
      const auto name = std::to_string(100 + i);
      tickets.push_back(Ticket{.name = name, .pod = "p" + name}.object());
      by_name[name] = tickets.back();
    }
    begin(tickets, {z});
    queue.assign(sent.begin(), sent.end());
  }
  /// Answers the request that waits for the longest.
  void step() {
    const auto out = queue.front();
    queue.pop_front();
    const auto what = about(out);
    if (what.starts_with("GET pods/pod-p")) {
      const auto name = what.substr(std::string("GET pods/pod-p").size());
      bench.answer(out, indexed("p" + name, "train", std::stoi(name)));
    } else if (what.starts_with("PATCH tickets/")) {
      const auto name = what.substr(std::string("PATCH tickets/").size(), 3);
      ++written[name];
      bench.answer(out, patched(by_name.at(name), out.request.body, ++rv));
    } else if (what == "PATCH widgets/z/status") {
      z = patched(z, out.request.body, ++rv);
      bench.answer(out, z);
    }
    for (auto& more : work()) queue.push_back(std::move(more));
    most = std::max(most, queue.size());
  }

  std::map<std::string, json> by_name;
  std::map<std::string, int> written;
  std::deque<runtime::Outgoing> queue;
  json z = Widget{.name = "z", .uid = "z-1", .limit = 1}.object();
  std::size_t most = 0;
};

TEST_F(KindMachineCrowdOfParticipants, are_each_written_once_with_room_left_for_the_one_write_that_serves_all) {
  for (int i = 0; i < 10 * size && !queue.empty(); ++i) step();
  EXPECT_THAT(written, SizeIs(size));
  EXPECT_TRUE(std::ranges::all_of(written, [](const auto& one) { return one.second == 1; }));
  EXPECT_LE(most, 7U) << "of eight";
  EXPECT_EQ(w["status"]["phase"], "Open");
  EXPECT_EQ(w["status"]["arrived"], size);
}

TEST_F(KindMachineCrowdOfParticipants, hold_up_no_neighbour) {
  for (int i = 0; i < 10; ++i) step();
  bench.ticket(Ticket{.name = "999", .rv = 150, .widget = "z", .pod = "p999"}.object());
  by_name["999"] = Ticket{.name = "999", .rv = 150, .widget = "z", .pod = "p999"}.object();
  for (auto& more : work()) queue.push_back(std::move(more));
  int steps = 0;
  while (!written.contains("999") && ++steps < 4 * size) step();
  EXPECT_LT(steps, 40) << "two requests, beside more than two hundred of others";
  step();
  while (z["status"]["phase"] != "Open" && ++steps < 4 * size) step();
  EXPECT_LT(steps, 60);
}

}  // namespace
}  // namespace konductor::test
