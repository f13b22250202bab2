#pragma once

#include "io/clock.hpp"
#include "io/kube_client.hpp"
#include "io/watch_driver.hpp"
#include "runtime/kind_machine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace konductor::app {

/// Does what one KindMachine says: feeds it two watches and the Pods, sends its requests, wakes it. Decides nothing.
/// Client and executor must outlive it, and it must live until the executor has run dry.
class KindRunner {
 public:
  /// `may_lead` is asked before each round: false, and nothing is sent.
  KindRunner(boost::asio::any_io_executor executor, io::KubeClient& client, runtime::KindDeclaration kind,
             const runtime::KindSettings& settings, std::function<bool()> may_lead);

  /// Waits until the API server serves both resources with all fields that are needed, then runs the watches. Until
  /// stop().
  boost::asio::awaitable<void> run();
  void on_pod(const runtime::ViewEvent& event);
  /// Something outside changed: look at may_lead() again.
  void nudge() { schedule(); }
  void stop();

  [[nodiscard]] const runtime::KindMachine& machine() const { return machine_; }
  /// Why it does not run yet; empty when it does.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  boost::asio::awaitable<bool> is_served();
  boost::asio::awaitable<void> send(runtime::Outgoing outgoing);
  void schedule();
  void pump();
  void set_timer();

  boost::asio::any_io_executor executor_;
  io::KubeClient& client_;
  runtime::KindMachine machine_;
  std::function<bool()> may_lead_;
  io::WatchDriver primitives_;
  io::WatchDriver claims_;
  io::BootTimer timer_;
  std::string problem_ = "not started";
  bool leading_ = false;
  bool scheduled_ = false;
  bool stopped_ = false;
};

}  // namespace konductor::app
