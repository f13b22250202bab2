#pragma once

#include "base/error.hpp"
#include "io/child_process.hpp"
#include "kube/exec_credential.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace konductor::io {

/// The credential that a program gives, kept until it expires. All who wait for one share one run of the program; it is
/// killed when the last of them has given up, and after a minute at the latest. Must outlive its calls.
class ExecSource {
 public:
  using Credential = std::shared_ptr<const kube::ExecCredential>;

  /// `terminal`: there is a person whom the program may ask.
  ExecSource(boost::asio::any_io_executor executor, kube::ExecPlugin plugin, const kube::ExecCluster& cluster,
             bool terminal);
  /// Calls close().
  ~ExecSource();
  ExecSource(const ExecSource&) = delete;
  ExecSource& operator=(const ExecSource&) = delete;

  /// The one at hand, or the one of a run that is awaited until `until`. Expiry is by `now`.
  boost::asio::awaitable<Result<Credential>> get(runtime::MonoTime until, runtime::WallTime now);
  /// The server does not accept it: the program is run for another.
  void refuse(const Credential& refused);
  /// Kills what runs; who waits gets Errc::cancelled.
  void close();

 private:
  struct Run;
  Result<std::shared_ptr<Run>> start();

  boost::asio::any_io_executor executor_;
  kube::ExecPlugin plugin_;
  ChildCommand command_;
  bool no_terminal_ = false;  // it must have one, and there is none
  Credential credential_;
  std::shared_ptr<Run> run_;  // while it is awaited
  bool closed_ = false;
};

}  // namespace konductor::io
