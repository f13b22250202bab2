#pragma once

#include "base/error.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "runtime/observed_view.hpp"
#include "runtime/view_event.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace konductor::runtime {

struct KindSettings {
  std::string component = "konductor";  // source of Events
  std::string identity;                 // of this replica
  std::uint32_t batch = 128;            // most grants in one record; below 1000 because of the tokens
  std::uint32_t parallel = 32;          // most requests in flight for this kind
  std::uint32_t max_claims = 20000;     // of one primitive; over it: a condition, and nothing is granted to the rest
  std::uint32_t watches = 1000;         // most watches for what decisions want to see
  Duration default_ttl = std::chrono::minutes{10};
  Duration keep_terminal = std::chrono::minutes{10};          // terminal claims are deleted after it
  Duration status_interval = std::chrono::milliseconds{300};  // coalesces counts
  Duration retry_first = std::chrono::milliseconds{50};       // back-off after a failed write
  Duration retry_most = std::chrono::seconds{5};
  Duration withhold_grants{0};  // after a start: for an etcd restored from a backup
};

/// A request that the machine wants sent; its answer comes back under the same id.
struct Outgoing {
  std::uint64_t id = 0;
  kube::Request request;
};

/// Everything the operator knows and does about one kind: views of primitives and claims, the grant protocol of
/// design.md section 2, TTLs, liveness of Pods, conditions, Events. Pure: it takes events and answers as values and
/// gives requests as values, so that simulation runs the very object that the operator links.
class KindMachine {
 public:
  KindMachine(KindDeclaration kind, KindSettings settings);
  ~KindMachine();
  KindMachine(KindMachine&&) noexcept;
  KindMachine& operator=(KindMachine&&) noexcept;

  void on_primitive(const ViewEvent& event, Now now);
  void on_claim(const ViewEvent& event, Now now);
  /// Metadata of Pods whose phase is neither Succeeded nor Failed; a remove means gone or finished.
  void on_pod(const ViewEvent& event, Now now);
  /// From the watch of one of watch_targets().
  void on_observed(const WatchTarget& target, const ViewEvent& event, Now now);
  /// The answer to a request, or the Error (unavailable, timeout) with which it failed: then it may have been executed.
  void on_answer(std::uint64_t id, const Result<kube::Response>& answer, Now now);
  /// Only a leader writes; a standby keeps its views and clocks warm.
  void lead(bool leading, Now now);

  /// What to send now. Call it after any of the above and at wake_at().
  std::vector<Outgoing> work(Now now);
  /// The next moment at which work() has something to do although nothing happened.
  [[nodiscard]] std::optional<MonoTime> wake_at() const;

  /// What decisions want to see besides claims: one watch for each is to run, and to feed on_observed(). Changes only
  /// in work().
  [[nodiscard]] const std::set<WatchTarget>& watch_targets() const;

  /// True once primitives, claims and pods were listed.
  [[nodiscard]] bool synced() const;
  [[nodiscard]] const KindDeclaration& kind() const;

  /// Since the last call: lines for the log, made by the machine so that tests see them.
  struct LogLine {
    enum class Level { debug, info, warning, error } level = Level::info;
    std::string text;
  };
  std::vector<LogLine> take_log();

  struct Counters {
    std::uint64_t decisions = 0, records = 0, grants = 0, denials = 0, expiries = 0, conflicts = 0, failed_writes = 0;
    std::uint64_t claims = 0, primitives = 0, holding = 0, waiting = 0, in_flight = 0;
    bool quarantined = false;
  };
  [[nodiscard]] Counters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace konductor::runtime
