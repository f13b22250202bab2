#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"

#include <memory>
#include <optional>
#include <sys/types.h>

namespace konductor::io {

/// A tiny process of its own that kills a process group at a given time, or as soon as this process is gone, whatever
/// has become of it: frozen, killed, out of memory. It has its own session, holds no file of ours and no signal stops
/// it but SIGKILL. Where that happened it is started again by look().
class GroupGuard {
 public:
  static Result<std::unique_ptr<GroupGuard>> start();
  /// Kills the group that is watched.
  ~GroupGuard();
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

  /// From here on it kills this group. Its leader must be a child of ours that was not collected yet, so that its
  /// number is nobody else's.
  void watch(pid_t group);
  /// By CLOCK_BOOTTIME; later or earlier than what was said before.
  void kill_at(runtime::MonoTime time);
  /// There is no group any more: to be said before its leader is collected. The guard ends.
  void done();
  /// After SIGCHLD: whether it is there; one that somebody has killed or suspended is replaced.
  bool look();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  GroupGuard() = default;
  Result<void> spawn();
  void tell() const;
  void collect(int flags);

  pid_t pid_ = -1;
  int socket_ = -1;
  pid_t group_ = 0;
  bool done_ = false;
  std::optional<runtime::MonoTime> kill_at_;  // none: only when we are gone
};

}  // namespace konductor::io
