#pragma once

#include "kube/line_splitter.hpp"
#include "runtime/watch_machine.hpp"
#include "tests/sim/process.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace konductor::sim {

/// Drives the very WatchMachine that the operator links against the model, over a network that delays, cuts, and lets
/// streams die without a word. Must not outlive the world and its process.
class SimWatch {
 public:
  using Sink = std::function<void(const runtime::ViewEvent&)>;
  using Machine = runtime::WatchMachine;

  SimWatch(World& world, Process process, runtime::WatchSettings settings, Sink sink);

  void start();
  /// The world calls it after each write to the model.
  void on_commit(const Commit& commit);
  /// The server sends what is due: an open stream is not behind when history is compacted.
  void catch_up();

 private:
  struct Life {};
  struct Stream {
    WatchCursor cursor;
    kube::LineSplitter lines;
    Duration last_arrival{0};  // nothing overtakes
    MonoTime last_read{};
    Duration idle_timeout{0};
    bool served = false;  // the server still writes
    bool dead = false;    // and nothing of it arrives any more
  };

  void tell(const Machine::Event& event);
  void act(const Machine::Action& action);
  void send_list(const kube::Request& request);
  void open(const Machine::OpenWatch& wanted);
  void opened_at_server(const kube::Request& request);
  void serve(bool bookmark);
  void serve_bookmarks();
  void watch_for_silence(Duration delay);
  /// `bytes` on their way to the process, behind what is on its way already.
  void push(std::string bytes);
  void break_stream(Duration delay);
  void read(const std::string& bytes);
  /// Tells the process then, unless the machine has wanted something else since.
  void tell_later(Duration delay, Machine::Event event);
  /// Runs `what` then on the network's side, under the same condition.
  void later(Duration delay, std::function<void()> what);
  [[nodiscard]] Duration in_order(Duration lag);

  World& world_;
  Process process_;
  kube::Resource resource_;
  Machine machine_;
  Sink sink_;
  std::optional<Stream> stream_;
  std::uint64_t ticket_ = 0;  // counts up with each thing that the machine wants
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace konductor::sim
