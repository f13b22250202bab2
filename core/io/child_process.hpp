#pragma once

#include "base/error.hpp"
#include "kube/exec_credential.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace konductor::io {

/// A program to run.
struct ChildCommand {
  std::vector<std::string> words;        // the first one is a path, or a name for PATH
  std::vector<std::string> environment;  // "NAME=value", over our own
  bool terminal = false;                 // it may ask at our terminal: standard input and error are ours
};

/// A program that runs beside the event loop, which it never blocks. It has a process group of its own (at a terminal
/// ours: else it could not read there), dies with this process, and at its end its whole group is killed: nothing that
/// it started in there stays behind.
class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
 public:
  using OnEnd = std::function<void(const kube::ExecRun&)>;
  /// The error is Errc::not_found where there is no such program, and only says what failed: "was not found on PATH".
  static Result<std::shared_ptr<ChildProcess>> start(const boost::asio::any_io_executor& executor,
                                                     const ChildCommand& command, OnEnd on_end);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Kills it; `on_end` is not called any more.
  void stop();

  /// Whether this process was started by such an object that will collect it.
  static bool awaits(pid_t pid);

 private:
  struct Output {
    explicit Output(const boost::asio::any_io_executor& executor) : pipe(executor) {}
    boost::asio::posix::stream_descriptor pipe;
    std::array<char, 4096> buffer{};
    std::string text;
    std::size_t most = 0;
    bool too_long = false;
  };

  ChildProcess(const boost::asio::any_io_executor& executor, OnEnd on_end);
  Result<void> spawn(const ChildCommand& command, const std::string& path);
  Result<void> watch(int out, int err);
  void await_output(Output& output);
  bool take_available(Output& output);
  void await_end();
  void finish();
  void kill_all() const;
  void collected() const;

  boost::asio::posix::stream_descriptor end_;  // a pidfd: readable once the program has ended
  Output out_;
  Output err_;
  OnEnd on_end_;
  pid_t pid_ = -1;  // -1 once it was collected
  bool own_group_ = false;
};

}  // namespace konductor::io
