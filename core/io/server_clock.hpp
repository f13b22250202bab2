#pragma once

#include "runtime/clock.hpp"

#include <optional>
#include <string_view>

namespace konductor::io {

/// The API server's wall clock: its last Date header plus our monotonic clock. Right to about a second, because that is
/// what the header has. Never goes back.
class ServerClock {
 public:
  /// `date` as the header has it; anything else is ignored.
  void learn(std::string_view date, runtime::MonoTime now);

  /// `own`, our wall clock, as long as the server has said nothing.
  runtime::WallTime now(runtime::MonoTime now, runtime::WallTime own);

 private:
  std::optional<runtime::Duration> offset_;  // of the server's clock to the monotonic one, both since their epochs
  runtime::WallTime last_ = runtime::WallTime::min();
};

}  // namespace konductor::io
