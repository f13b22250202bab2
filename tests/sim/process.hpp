#pragma once

#include "io/server_clock.hpp"
#include "tests/sim/world.hpp"

#include <functional>
#include <string>

namespace konductor::sim {

/// The clocks of one process. Their rate is the world's; where they stand is not, and its own wall clock may jump.
class SimClock {
 public:
  SimClock(World& world, Duration mono_offset, Duration wall_offset)
      : world_(world), mono_offset_(mono_offset), wall_offset_(wall_offset) {}

  /// As io::KubeClient gives it: the API server's time by the Date of its answers, before the first one our own.
  runtime::Now now() { return {mono(), server_.now(mono(), wall())}; }
  [[nodiscard]] MonoTime mono() const { return world_.mono(mono_offset_); }
  [[nodiscard]] WallTime wall() const {
    return WallTime{Duration{1'700'000'000'350'000} + world_.elapsed() + wall_offset_};
  }
  void jump(Duration by) { wall_offset_ += by; }
  void learn(const Result<kube::Response>& answer) {
    if (answer) server_.learn(answer->date, mono());
  }

 private:
  World& world_;
  Duration mono_offset_;
  Duration wall_offset_;
  io::ServerClock server_;
};

/// What a simulated process gives to a driver that runs in it.
struct Process {
  std::string actor;
  SimClock* clock = nullptr;  // outlives the driver
  /// Runs something on the process: later where it stands still, never where it is gone.
  std::function<void(std::function<void()>)> run;
};

}  // namespace konductor::sim
