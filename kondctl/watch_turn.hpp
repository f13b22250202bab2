#pragma once

#include "base/error.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/jitter.hpp"
#include "kondctl/retry_delay.hpp"

#include <cstdint>
#include <optional>

namespace konductor::kondctl {

/// The one watch of a machine, and when to look instead: after it ended, or again and again where none is allowed.
class WatchTurn {
 public:
  WatchTurn(const DialogueSettings& settings, MonoTime started)
      : look_at_(started), poll_delay_(settings.poll_first), poll_most_(settings.retry_most), jitter_(settings.seed) {}

  [[nodiscard]] bool runs() const { return id_ != 0; }
  [[nodiscard]] bool is(std::uint64_t id) const { return id != 0 && id == id_; }
  [[nodiscard]] bool is_allowed() const { return !polling_; }
  /// 0 while none runs.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  /// When to look, while none runs.
  [[nodiscard]] MonoTime look_at() const { return look_at_; }

  /// Says how many seconds the server shall let it run: another number for each process and each time, since a thousand
  /// that began together shall not end, look and begin anew together.
  [[nodiscard]] int begin(std::uint64_t id, MonoTime now);
  /// Takes over one that runs already.
  void adopt(std::uint64_t id, MonoTime now);
  /// What it still tells counts no more.
  void drop() { id_ = 0; }
  void look_at(MonoTime time) { look_at_ = time; }
  void forbid() { polling_ = true; }
  /// It ended by itself.
  void end(const std::optional<Error>& error, MonoTime now, RetryDelay& delay);
  /// A look has been answered: the next one is later.
  void looked(MonoTime now);

 private:
  std::uint64_t id_ = 0;
  bool polling_ = false;
  MonoTime since_;
  MonoTime look_at_;
  Duration poll_delay_;
  Duration poll_most_;
  Jitter jitter_;
};

}  // namespace konductor::kondctl
