#pragma once

#include "base/error.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"
#include "tests/sim/api_model.hpp"
#include "tests/sim/rng.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace konductor::sim {

using runtime::Duration;
using runtime::MonoTime;
using runtime::WallTime;

/// How often things go wrong, in a thousand requests, and how slow they are.
struct Faults {
  int request_lost = 0;
  int answer_lost = 0;
  int late_commit = 0;  // the sender gives up first, and the server executes it afterwards
  int throttled = 0;    // 429
  int slow = 0;
  int watch_cut = 0;      // in a thousand watch events
  int watch_gone = 0;     // of a thousand cuts: 410 on resuming
  int watch_stalled = 0;  // in a thousand watch events
};

/// Virtual time, the API server, and the network to it. Everything happens in one order, decided by the seed.
class World {
 public:
  using Reply = std::function<void(const Result<kube::Response>&)>;

  explicit World(std::uint64_t seed);

  [[nodiscard]] ApiModel& api() { return api_; }
  [[nodiscard]] const ApiModel& api() const { return api_; }
  [[nodiscard]] Rng& rng() { return rng_; }
  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] Duration elapsed() const { return now_; }
  [[nodiscard]] WallTime wall() const;
  /// By a clock that was at `offset` when the world began.
  [[nodiscard]] MonoTime mono(Duration offset) const { return MonoTime{now_ + offset}; }

  void after(Duration delay, std::function<void()> what);
  /// Executes one event; false where none is left or the next one is later than `until`.
  bool step(Duration until);

  /// Sends a request over the faulty network; `before_commit` runs just before the server executes it.
  void send(const std::string& actor, const kube::Request& request, Reply reply,
            std::function<void()> before_commit = {});
  /// Executes a request at once and without faults: what users and the cluster itself do.
  kube::Response command(const std::string& actor, const kube::Request& request);

 private:
  using Key = std::pair<Duration, std::uint64_t>;

  ApiModel api_;
  Rng rng_;
  Faults faults_;
  Duration now_{0};
  std::map<Key, std::function<void()>> queue_;
  std::uint64_t sequence_ = 0;
};

}  // namespace konductor::sim
