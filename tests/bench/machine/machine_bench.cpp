/// What the operator itself adds to a handoff, without any server: the time from a holder's end to the record, and from
/// the record's answer to the tell, with ever more holders. Prints one JSON object a line.
///
///   machine_bench PLUGIN_DIR
#include "host/plugin_registry.hpp"
#include "io/clock.hpp"
#include "runtime/kind_machine.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace konductor;
using nlohmann::json;
using runtime::ViewEvent;

constexpr int rounds = 200;

double median_us(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

/// A machine on a table: the server's part is played by hand, and is not timed.
class Table {
 public:
  Table(runtime::KindDeclaration kind, int holders) : machine_(std::move(kind), {}) {
    primitive_ = meta("q", 100);
    primitive_["spec"] = {{"permits", holders}};
    primitive_["status"] = {{"ledger", {{"lastToken", 100000}, {"seen", "101"}, {"pending", json::array()}}}};
    list(&runtime::KindMachine::on_primitive, {primitive_});
    std::vector<json> held;
    for (int i = 0; i < holders; ++i) held.push_back(claim("h" + std::to_string(i), true));
    live_ = held;
    list(&runtime::KindMachine::on_claim, held);
    machine_.on_pod({ViewEvent::Kind::begin, nullptr, {}, {}}, now());
    machine_.on_pod({ViewEvent::Kind::synced, nullptr, std::to_string(rv_), {}}, now());
    machine_.lead(true, now());
    settle();
  }

  struct Times {
    double to_record = 0;
    double to_tell = 0;
  };

  /// A waiter comes, a holder goes.
  Times handoff(int round) {
    live_.push_back(claim("w" + std::to_string(round), false));
    machine_.on_claim(event(ViewEvent::Kind::apply, live_.back()), now());
    settle();
    pass(std::chrono::seconds{1});
    json gone = live_[static_cast<std::size_t>(round)];
    gone["metadata"]["resourceVersion"] = std::to_string(++rv_);
    const auto leaves = event(ViewEvent::Kind::remove, gone);
    Times times;
    const auto began = std::chrono::steady_clock::now();
    machine_.on_claim(leaves, now());
    auto sent = machine_.work(now());
    times.to_record = since(began);
    if (sent.empty()) fail("the end of a holder was followed by no record");
    const auto answer = answer_to(sent.front());
    const auto answered = std::chrono::steady_clock::now();
    machine_.on_answer(sent.front().id, answer, now());
    sent = machine_.work(now());
    times.to_tell = since(answered);
    if (sent.empty()) fail("the record was followed by no tell");
    for (const auto& out : sent) machine_.on_answer(out.id, answer_to(out), now());
    settle();
    return times;
  }

 private:
  using Feed = void (runtime::KindMachine::*)(const ViewEvent&, runtime::Now);

  [[nodiscard]] runtime::Now now() const { return now_; }

  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "machine_bench: %s\n", what);
    std::exit(1);
  }

  static double since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count();
  }

  static json meta(const std::string& name, std::uint64_t rv) {
    return {{"metadata",
             {{"namespace", "ns"},
              {"name", name},
              {"uid", "00000000-0000-0000-0000-" + name},
              {"generation", 1},
              {"creationTimestamp", "2026-01-01T00:00:00Z"},
              {"resourceVersion", std::to_string(rv)}}}};
  }

  json claim(const std::string& name, bool held) {
    json object = meta(name, ++rv_);
    object["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z";
    object["spec"] = {{"semaphore", "q"}, {"holder", name}};
    if (held) object["status"] = {{"phase", "Granted"}, {"permits", 1}, {"units", 1}, {"token", 1}, {"ttl", "10m"}};
    return object;
  }

  static ViewEvent event(ViewEvent::Kind kind, const json& object) {
    return {kind, std::make_shared<const json>(object), object["metadata"]["resourceVersion"].get<std::string>(), {}};
  }

  void list(Feed feed, const std::vector<json>& objects) {
    (machine_.*feed)({ViewEvent::Kind::begin, nullptr, {}, {}}, now());
    for (const auto& object : objects) (machine_.*feed)(event(ViewEvent::Kind::apply, object), now());
    (machine_.*feed)({ViewEvent::Kind::synced, nullptr, std::to_string(++rv_), {}}, now());
  }

  void pass(runtime::Duration time) {
    now_.server += time;
    now_.mono += time;
  }

  /// The server: applies the merge patch, at a new resourceVersion.
  Result<kube::Response> answer_to(const runtime::Outgoing& out) {
    if (out.request.target.find("/events") != std::string::npos) return kube::Response{201, "{}", 0, {}};
    auto patch = json::parse(out.request.body, nullptr, false);
    patch["metadata"].erase("resourceVersion");
    json* object = &primitive_;
    if (out.request.target.find("/permits/") != std::string::npos) {
      for (auto& one : live_)
        if (out.request.target.find("/" + one["metadata"]["name"].get<std::string>() + "/") != std::string::npos)
          object = &one;
    }
    object->merge_patch(patch);
    (*object)["metadata"]["resourceVersion"] = std::to_string(++rv_);
    return kube::Response{200, object->dump(), 0, {}};
  }

  /// Until it has nothing more to send and nothing to look at.
  void settle() {
    for (;;) {
      for (auto sent = machine_.work(now()); !sent.empty(); sent = machine_.work(now()))
        for (const auto& out : sent) machine_.on_answer(out.id, answer_to(out), now());
      const auto wake = machine_.wake_at();
      if (!wake || *wake > now_.mono + std::chrono::seconds{2}) return;
      if (*wake <= now_.mono) continue;
      pass(*wake - now_.mono);
    }
  }

  runtime::KindMachine machine_;
  json primitive_;
  std::vector<json> live_;
  std::uint64_t rv_ = 200;
  /// Made up: only the machine's own work takes real time.
  runtime::Now now_{runtime::MonoTime{std::chrono::hours{1}}, runtime::WallTime{std::chrono::hours{24 * 365 * 57}}};
};

int run(const char* folder) {
  const std::vector<std::filesystem::path> folders{folder};
  const auto registry = host::load_plugins(folders, io::thread_now);
  if (!registry || registry->loaded.empty()) {
    std::fprintf(stderr, "no plugin in %s\n", folder);
    return 2;
  }
  for (const int holders : {10, 1000, 10000}) {
    Table table(registry->kinds().front(), holders);
    std::vector<double> record;
    std::vector<double> tell;
    for (int round = 0; round < rounds; ++round) {
      const auto times = table.handoff(round);
      record.push_back(times.to_record);
      tell.push_back(times.to_tell);
    }
    std::printf("{\"holders\": %d, \"to_record_us\": %.0f, \"to_tell_us\": %.0f}\n", holders, median_us(record),
                median_us(tell));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: machine_bench PLUGIN_DIR\n");
    return 2;
  }
  return run(argv[1]);
}
