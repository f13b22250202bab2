#pragma once

#include "tests/support/kind_bench.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// Pods of Jobs, and a widget that counts participants, for the tests of who claims stand for.
namespace konductor::test {

inline nlohmann::json owned(const std::string& pod_uid, const std::string& job, const std::string& kind = "Job") {
  auto object = pod(pod_uid, 50);
  object["metadata"]["ownerReferences"] = {{{"apiVersion", kind == "Job" ? "batch/v1" : "apps/v1"},
                                            {"kind", kind},
                                            {"name", job},
                                            {"uid", "uid-" + job},
                                            {"controller", true}}};
  return object;
}

inline nlohmann::json indexed(const std::string& pod_uid, const std::string& job, int index) {
  auto object = owned(pod_uid, job);
  object["metadata"]["labels"] = {{"batch.kubernetes.io/job-completion-index", std::to_string(index)}};
  return object;
}

inline nlohmann::json job_of(int completions, const std::string& uid = "uid-train") {
  return {{"metadata", {{"namespace", "ns"}, {"name", "train"}, {"uid", uid}, {"resourceVersion", "7"}}},
          {"spec", {{"completions", completions}, {"parallelism", completions}}}};
}

/// A widget that waits for many, shown as it is, and what is asked about tickets of it.
struct KindMachineParticipants : testing::Test {
  void begin(const std::vector<nlohmann::json>& tickets, const std::vector<nlohmann::json>& others = {}) {
    auto widgets = others;
    there = tickets;
    widgets.push_back(w);
    bench.start({.widgets = widgets, .tickets = tickets});
    sent = settle(bench.work());
  }
  /// Answers what is about the widget, and shows who is there where that is asked; the rest is given back.
  std::vector<runtime::Outgoing> settle(std::vector<runtime::Outgoing> all) {
    std::vector<runtime::Outgoing> rest;
    for (auto& out : all) {
      if (about(out) == "PATCH widgets/w/status") {
        w = patched(w, out.request.body, ++rv);
        bench.answer(out, w);
      } else if (about(out) == "LIST tickets") {
        bench.answer(out, {{"metadata", {{"resourceVersion", std::to_string(++rv)}}}, {"items", there}});
        for (auto& more : settle(bench.work())) rest.push_back(std::move(more));
      } else {
        rest.push_back(std::move(out));
      }
    }
    return rest;
  }
  std::vector<runtime::Outgoing> work() { return settle(bench.work()); }
  std::vector<runtime::Outgoing> within(runtime::Duration most) {
    const auto end = bench.now.mono + most;
    std::vector<runtime::Outgoing> rest;
    while (rest.empty() && bench.now.mono < end) rest = settle(bench.work_within(end - bench.now.mono));
    return rest;
  }
  runtime::Outgoing only() {
    auto all = work();
    EXPECT_EQ(all.size(), 1U) << testing::PrintToString(about(all));
    return all.size() == 1 ? all.front() : runtime::Outgoing{};
  }
  int arrived() {
    settle(bench.work_within(std::chrono::seconds{3}));
    return w["status"]["arrived"].get<int>();
  }

  std::uint64_t rv = 1000;
  KindBench bench{counting_widgets()};
  nlohmann::json w = Widget{.limit = 100}.object();
  nlohmann::json a = Ticket{.name = "a", .pod = "p1"}.object();
  nlohmann::json there;  // as lists show it
  std::vector<runtime::Outgoing> sent;
};

}  // namespace konductor::test
