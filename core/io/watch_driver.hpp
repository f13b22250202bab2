#pragma once

#include "io/clock.hpp"
#include "io/kube_client.hpp"
#include "runtime/view_event.hpp"
#include "runtime/watch_machine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <random>

namespace konductor::io {

/// Does what a runtime::WatchMachine says, over a client that must outlive it.
class WatchDriver {
 public:
  using Consumer = std::function<void(const runtime::ViewEvent&)>;

  WatchDriver(boost::asio::any_io_executor executor, KubeClient& client, runtime::WatchSettings settings,
              Consumer consumer);

  /// Lists and watches until stop(), or the client's close() (seen at the next request). Once; the driver must live
  /// until it is over.
  boost::asio::awaitable<void> run();
  /// A new list as soon as possible.
  void relist();
  /// The consumer hears nothing after this call.
  void stop();

 private:
  runtime::WatchMachine::Action resume(const runtime::WatchMachine::Event& event);
  boost::asio::awaitable<runtime::WatchMachine::Action> list(const kube::Request& request);
  boost::asio::awaitable<runtime::WatchMachine::Action> watch(const runtime::WatchMachine::OpenWatch& open);
  boost::asio::awaitable<runtime::WatchMachine::Action> wait(runtime::Duration duration);

  boost::asio::any_io_executor executor_;
  KubeClient& client_;
  runtime::WatchMachine machine_;
  Consumer consumer_;
  BootTimer timer_;
  StreamStop stream_;
  boost::asio::cancellation_signal cancel_list_;
  std::mt19937_64 random_;
  bool stopped_ = false;
  bool relist_ = false;  // it was our own relist() that ended the stream or the wait
};

}  // namespace konductor::io
