#pragma once

#include "io/clock.hpp"
#include "io/kube_client.hpp"
#include "io/watch_driver.hpp"
#include "operator/watch_trouble.hpp"
#include "runtime/kind_machine.hpp"
#include "runtime/pacer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace konductor::app {

/// Does what one KindMachine says: feeds it its watches and the Pods, sends its requests, wakes it. Decides nothing.
/// Client and executor must outlive it, and it must live until the executor has run dry.
class KindRunner {
 public:
  /// `may_lead` is asked before each round: false, and nothing is sent. All runners share the pacer, which must outlive
  /// them.
  KindRunner(boost::asio::any_io_executor executor, io::KubeClient& client, runtime::Pacer& pacer,
             runtime::KindDeclaration kind, const runtime::KindSettings& settings, std::function<bool()> may_lead);

  /// Waits until the API server serves both resources with all fields that are needed, then runs the watches. Until
  /// stop().
  boost::asio::awaitable<void> run();
  void on_pod(const runtime::ViewEvent& event);
  /// Something outside changed: look at may_lead() again.
  void nudge() { schedule(); }
  void stop();

  [[nodiscard]] const runtime::KindMachine& machine() const { return machine_; }
  /// Why it does not run, or runs on old views; empty when all is well.
  [[nodiscard]] std::string problem() const;

 private:
  struct NeedWatch {
    std::shared_ptr<io::WatchDriver> driver;
    WatchTrouble trouble;
  };
  using Sink = void (runtime::KindMachine::*)(const runtime::ViewEvent&, runtime::Now);

  io::WatchDriver::Consumer feed(Sink sink, WatchTrouble& trouble);
  boost::asio::awaitable<bool> is_served();
  boost::asio::awaitable<void> send(runtime::Outgoing outgoing);
  void schedule();
  void pump();
  void set_timer();
  void follow_needs();

  boost::asio::any_io_executor executor_;
  io::KubeClient& client_;
  runtime::Pacer& pacer_;
  runtime::KindMachine machine_;
  std::function<bool()> may_lead_;
  WatchTrouble primitives_trouble_;
  WatchTrouble claims_trouble_;
  io::WatchDriver primitives_;
  io::WatchDriver claims_;
  io::BootTimer timer_;
  std::map<runtime::WatchTarget, NeedWatch> needs_;
  std::string not_served_ = "not started";
  bool leading_ = false;
  bool scheduled_ = false;
  bool stopped_ = false;
};

}  // namespace konductor::app
