#pragma once

#include "base/error.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "tests/sim/api_model.hpp"
#include "tests/sim/rng.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace konductor::sim {

using runtime::Duration;
using runtime::MonoTime;
using runtime::WallTime;

/// How often things go wrong, in a thousand requests, and how slow they are.
struct Faults {
  int request_lost = 0;
  int answer_lost = 0;
  int late_commit = 0;  // the sender gives up first, and the server executes it afterwards
  int hung = 0;         // a dead connection: executed or not, no answer comes before the sender gives up
  int throttled = 0;    // 429
  int slow = 0;
  int watch_cut = 0;      // in a thousand watch events
  int watch_gone = 0;     // of a thousand cuts of a client's watch: 410 on resuming
  int watch_stalled = 0;  // in a thousand watch events
  int watch_dead = 0;     // in a thousand watch events: nothing comes any more, not even an end
};

/// A request and how long its sender waits for the answer.
struct Sending {
  kube::Request request;
  Duration patience = std::chrono::seconds{10};
  std::function<void()> before_commit = {};  // runs just before the server executes it
};

/// Virtual time, the API server, and the network to it. Everything happens in one order, decided by the seed.
class World {
 public:
  using Reply = std::function<void(const Result<kube::Response>&)>;

  explicit World(std::uint64_t seed);

  /// The API server has a kind's two resources, Pods, Events and locks. `rules` are of its claims, besides
  /// that who one stands for cannot change.
  void serve(const runtime::KindDeclaration& kind, std::vector<UpdateRule> rules);

  [[nodiscard]] ApiModel& api() { return api_; }
  [[nodiscard]] const ApiModel& api() const { return api_; }
  [[nodiscard]] Rng& rng() { return rng_; }
  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] Duration elapsed() const { return now_; }
  /// The API server's clock.
  [[nodiscard]] WallTime wall() const;
  void jump_server_clock(Duration by);
  /// By a clock that was at `offset` when the world began.
  [[nodiscard]] MonoTime mono(Duration offset) const { return MonoTime{now_ + offset}; }

  void after(Duration delay, std::function<void()> what);
  /// Executes one event; false where none is left or the next one is later than `until`.
  bool step(Duration until);

  /// Sends a request over the faulty network. The answer, or an Error, comes within the sender's patience.
  void send(const std::string& actor, Sending sending, Reply reply);
  /// Executes a request at once and without faults: what users and the cluster itself do.
  kube::Response command(const std::string& actor, const kube::Request& request);

  /// No request and no watch event of this actor passes for so long. Where the partition is silent, nobody is told: who
  /// waits for an answer waits for as long as its patience lasts.
  void cut_off(const std::string& actor, Duration length, bool silent);
  /// All partitions are over.
  void heal() { partitions_.clear(); }
  [[nodiscard]] bool reaches(const std::string& actor) const;
  [[nodiscard]] bool is_silent(const std::string& actor) const;

  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  /// How often the network did harm.
  [[nodiscard]] std::uint64_t harm() const { return harm_; }
  void count_harm() { ++harm_; }

 private:
  using Key = std::pair<Duration, std::uint64_t>;
  struct Partition {
    Duration until{0};
    bool silent = false;
  };
  struct Exchange;

  void arrive(const std::shared_ptr<Exchange>& exchange, Duration back);
  void lose(const std::shared_ptr<Exchange>& exchange);

  ApiModel api_;
  Rng rng_;
  Faults faults_;
  Duration now_{0};
  Duration server_clock_{0};  // how far it has jumped in all
  std::map<Key, std::function<void()>> queue_;
  std::map<std::string, Partition> partitions_;
  std::uint64_t sequence_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t harm_ = 0;
};

}  // namespace konductor::sim
