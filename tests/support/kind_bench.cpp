#include "tests/support/kind_bench.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace konductor::test {

using nlohmann::json;
using runtime::Outgoing;
using runtime::ViewEvent;

namespace {

std::string rv_of(const json& object) {
  return object["metadata"]["resourceVersion"].get<std::string>();
}

ViewEvent event(ViewEvent::Kind kind, const json& object) {
  return {kind, std::make_shared<const json>(object), rv_of(object), {}};
}

ViewEvent mark(ViewEvent::Kind kind, std::uint64_t rv = 0) {
  return {kind, nullptr, rv == 0 ? std::string{} : std::to_string(rv), {}};
}

constexpr auto begin = ViewEvent::Kind::begin;
constexpr auto apply = ViewEvent::Kind::apply;
constexpr auto gone = ViewEvent::Kind::remove;
constexpr auto synced = ViewEvent::Kind::synced;

}  // namespace

KindBench::KindBench(runtime::KindDeclaration kind, runtime::KindSettings settings)
    : machine(std::move(kind), std::move(settings)) {}

void KindBench::start(const Start& start) {
  machine.on_primitive(mark(begin), now);
  for (const auto& object : start.widgets) machine.on_primitive(event(apply, object), now);
  machine.on_primitive(mark(synced, start.rv), now);
  list_tickets(start.tickets, start.rv);
  machine.on_pod(mark(begin), now);
  for (const auto& uid : start.pods) machine.on_pod(event(apply, pod(uid, 50)), now);
  machine.on_pod(mark(synced, start.rv), now);
  machine.lead(true, now);
}

void KindBench::list_tickets(const std::vector<json>& tickets, std::uint64_t rv) {
  machine.on_claim(mark(begin), now);
  for (const auto& object : tickets) machine.on_claim(event(apply, object), now);
  machine.on_claim(mark(synced, rv), now);
}

void KindBench::ticket(const json& object) {
  machine.on_claim(event(apply, object), now);
}

void KindBench::ticket_gone(const json& object, std::uint64_t rv) {
  machine.on_claim(event(gone, patched(object, "{}", rv)), now);
}

void KindBench::tickets_until(std::uint64_t rv) {
  machine.on_claim(mark(ViewEvent::Kind::progress, rv), now);
}

void KindBench::widget(const json& object) {
  machine.on_primitive(event(apply, object), now);
}

void KindBench::widget_gone(const json& object) {
  machine.on_primitive(event(gone, object), now);
}

void KindBench::pod_gone(const std::string& uid, std::uint64_t rv) {
  machine.on_pod(event(gone, pod(uid, rv)), now);
}

void KindBench::observed(const runtime::WatchTarget& target, const std::vector<json>& objects) {
  machine.on_observed(target, mark(begin), now);
  for (const auto& object : objects) machine.on_observed(target, event(apply, object), now);
  machine.on_observed(target, mark(synced, 1000), now);
}

void KindBench::answer(const Outgoing& to, const json& object) {
  machine.on_answer(to.id, kube::Response{200, object.dump(), 0, {}}, now);
}

void KindBench::refuse(const Outgoing& to, int status, const std::string& reason, const std::string& message) {
  const json text = {{"kind", "Status"},
                     {"code", status},
                     {"reason", reason},
                     {"message", message},
                     {"details", {{"name", "x"}, {"kind", "x"}}}};
  machine.on_answer(to.id, kube::Response{status, text.dump(), 0, {}}, now);
}

void KindBench::throttle(const Outgoing& to, int retry_after_s) {
  const json text = {{"kind", "Status"}, {"code", 429}, {"reason", "TooManyRequests"}, {"message", "try again later"}};
  machine.on_answer(to.id, kube::Response{429, text.dump(), retry_after_s, {}}, now);
}

void KindBench::lose(const Outgoing& to) {
  machine.on_answer(to.id, Error{Errc::timeout, "no answer came in time", 0}, now);
}

std::vector<Outgoing> KindBench::work() {
  std::vector<Outgoing> sent;
  constexpr int most_turns = 100;  // more would be a machine that spins
  for (int turn = 0; turn < most_turns; ++turn) {
    for (auto& out : machine.work(now)) {
      if (about(out) != "POST events") {
        sent.push_back(std::move(out));
        continue;
      }
      const auto written = body(out);
      const auto& subject = written["involvedObject"];
      events.push_back(subject["kind"].get<std::string>() + "/" + subject["name"].get<std::string>() + " " +
                       written["type"].get<std::string>() + " " + written["reason"].get<std::string>() + ": " +
                       written["message"].get<std::string>());
      answer(out, written);
    }
    if (machine.wake_at() != runtime::MonoTime::min()) return sent;
  }
  ADD_FAILURE() << "it wants to go on at once, for ever";
  return sent;
}

Outgoing KindBench::only() {
  auto sent = work();
  EXPECT_EQ(sent.size(), 1U) << testing::PrintToString(about(sent));
  return sent.size() == 1 ? std::move(sent.front()) : Outgoing{};
}

void KindBench::pass(runtime::Duration time) {
  now.mono += time;
  now.server += time;
}

std::vector<Outgoing> KindBench::work_within(runtime::Duration most) {
  const auto end = now.mono + most;
  constexpr int most_wakes = 1000;  // more would be a machine that spins
  for (int i = 0; i < most_wakes; ++i) {
    auto sent = work();
    if (!sent.empty()) return sent;
    const auto wake = machine.wake_at();
    if (!wake || *wake > end) {
      pass(end - now.mono);
      return work();
    }
    pass(std::max(*wake - now.mono, runtime::Duration{0}));
  }
  ADD_FAILURE() << "it wants to be woken for ever and does nothing";
  return {};
}

std::string about(const Outgoing& out) {
  const auto query = out.request.target.find('?');
  auto path = out.request.target.substr(0, query);
  const std::string ns = "namespaces/ns/";
  if (const auto at = path.find(ns); at != std::string::npos) path = path.substr(at + ns.size());
  const bool lists = out.request.method == kube::Method::get && path.find('/') == std::string::npos;
  return (lists ? "LIST" : std::string(kube::to_string(out.request.method))) + " " + path;
}

std::vector<std::string> about(const std::vector<Outgoing>& out) {
  std::vector<std::string> all;
  for (const auto& one : out) all.push_back(about(one));
  return all;
}

json body(const Outgoing& out) {
  return json::parse(out.request.body, nullptr, false);
}

std::vector<std::string> pending_of(const Outgoing& out) {
  std::vector<std::string> names;
  const auto text = body(out);
  const auto path = json::json_pointer("/status/ledger/pending");
  if (!text.contains(path)) return {"no ledger"};
  for (const auto& entry : text[path]) names.push_back(entry["claim"].get<std::string>());
  return names;
}

}  // namespace konductor::test
