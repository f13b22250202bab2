#pragma once

#include "base/error.hpp"
#include "io/child_process.hpp"
#include "kube/exec_credential.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace konductor::io {

/// The credential that a program gives, kept until it expires. All who wait for one share one run of the program, which
/// goes on when they have given up: who asks next may find its answer. It is killed after half a minute, unless it asks
/// a person. Must outlive its calls.
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
  /// The server does not accept it. True where another is to be had: the program is run for one, but not again for 10
  /// s.
  bool refuse(const Credential& refused, runtime::MonoTime now);
  /// It cannot be used at all: the program is run again, after a second.
  void discard(const Credential& useless, const Error& why);
  /// Kills what runs; who waits gets Errc::cancelled.
  void close();

 private:
  struct Run;
  Result<std::shared_ptr<Run>> start();
  void take_answer();
  Error remember(Error failure);

  boost::asio::any_io_executor executor_;
  kube::ExecPlugin plugin_;
  ChildCommand command_;
  bool no_terminal_ = false;  // it must have one, and there is none
  Credential credential_;
  std::shared_ptr<Run> run_;  // until its answer was taken
  std::optional<Error> failure_;
  runtime::MonoTime run_again_{};     // not before, after a failure
  runtime::MonoTime refuse_again_{};  // likewise, after a refusal
  bool worked_ = false;
  bool closed_ = false;
};

}  // namespace konductor::io
