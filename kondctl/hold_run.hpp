#pragma once

#include "io/clock.hpp"
#include "io/probe_server.hpp"
#include "kondctl/tenure.hpp"

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kondctl {

struct HoldOptions {
  std::string ready_file;                            // there while it is held; empty: none
  std::string probe_address;                         // empty or "off": none
  Duration stop_grace = std::chrono::seconds{10};    // how long before its end it counts as lost
  Duration release_time = std::chrono::seconds{10};  // the most that giving it back may take
  bool keep = false;                                 // told to end, it leaves the claim to its Pod
};

/// Holds a claim until it is told to end, for others beside it: says by a file and over HTTP whether it is held.
class HoldRun {
 public:
  using OnGrant = std::function<void(const ClaimOutcome::Grant& grant)>;
  HoldRun(Session& session, ClaimWish wish, HoldOptions options, OnGrant on_grant);

  /// Until all is over; the exit code.
  int run(ClaimSettings settings);
  [[nodiscard]] bool was_granted() const { return tenure_.was_granted(); }

 private:
  enum class State { waiting, held, doubtful, lost, ending };

  Tenure::Hooks hooks();
  Result<void> open_probe();
  void granted(const ClaimOutcome::Grant& grant);
  void lost(const Loss& loss);
  std::optional<MonoTime> look();
  void set(State state);
  void told_to_end(int number);
  void await_signal();
  [[nodiscard]] io::ProbeAnswer answer(std::string_view path) const;

  Session& session_;
  HoldOptions options_;
  OnGrant on_grant_;
  boost::asio::signal_set signals_;
  Tenure tenure_;
  std::unique_ptr<io::ProbeServer> probe_;
  State state_ = State::waiting;
  Duration ttl_{0};
  MonoTime lost_at_;
  std::optional<MonoTime> give_back_at_;  // of a claim that was lost
  int code_ = 0;
};

}  // namespace konductor::kondctl
