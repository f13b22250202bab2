#pragma once

#include "io/clock.hpp"
#include "io/kube_client.hpp"
#include "runtime/elector.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <string>

namespace konductor::io {

/// Does what a runtime::Elector says, over a client that must outlive it.
class ElectorDriver {
 public:
  /// `leading` changed, or why the last request failed did (Elector::problem(), empty after one that did not).
  using OnChange = std::function<void(bool leading, const std::string& problem)>;

  ElectorDriver(boost::asio::any_io_executor executor, KubeClient& client, runtime::ElectorSettings settings,
                OnChange on_change);

  /// Until stop() has given up the leadership, or the client is closed (seen at the next request). Once; the driver
  /// must live until it is over.
  boost::asio::awaitable<void> run();
  /// Abandons what is under way and releases the leadership, which can take a request or two. The callback comes first.
  void stop();

  /// Asks the clock too: call it before acting as the leader.
  [[nodiscard]] bool leading() const;
  /// For the log and /readyz: who leads, and why the last request failed.
  [[nodiscard]] const runtime::Elector& elector() const { return elector_; }

 private:
  runtime::Elector::Action resume(const runtime::Elector::Event& event);
  boost::asio::awaitable<runtime::Elector::Action> send(const runtime::Elector::Send& what);
  boost::asio::awaitable<runtime::Elector::Action> wait(runtime::MonoTime until);
  bool take_shutdown();

  boost::asio::any_io_executor executor_;
  KubeClient& client_;
  runtime::Elector elector_;
  OnChange on_change_;
  BootTimer timer_;
  boost::asio::cancellation_signal cancel_;
  bool was_leading_ = false;
  std::string last_problem_;
  bool stop_asked_ = false;
  bool shutting_down_ = false;  // the elector knows of it
};

}  // namespace konductor::io
