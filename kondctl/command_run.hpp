#pragma once

#include "io/clock.hpp"
#include "io/command_group.hpp"
#include "io/group_guard.hpp"
#include "kondctl/run_machine.hpp"
#include "kondctl/tenure.hpp"

#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>

namespace konductor::kondctl {

/// A command that runs while a claim is held: asks the machines, does what they say.
class CommandRun {
 public:
  /// `guard` was forked before anything else was there to be inherited.
  CommandRun(Session& session, ClaimWish wish, RunSettings settings, std::unique_ptr<io::GroupGuard> guard);

  /// Until all is over; the exit code.
  int run(ClaimSettings settings);
  [[nodiscard]] bool was_granted() const { return tenure_.was_granted(); }

 private:
  Tenure::Hooks hooks();
  void tell(const RunEvent& event);
  void execute(const RunAction& action);
  void start();
  void await_signal();
  void came(int number);
  void look_at_children();
  void await_end(io::CommandEnd end, MonoTime until);

  Session& session_;
  RunSettings settings_;
  std::unique_ptr<io::GroupGuard> guard_;
  io::CommandGroup command_;
  boost::asio::signal_set signals_;
  io::BootTimer remains_timer_;
  Tenure tenure_;
  std::optional<RunMachine> run_;  // once it is granted
  ClaimOutcome::Grant grant_;
  std::optional<MonoTime> wake_at_;
};

}  // namespace konductor::kondctl
