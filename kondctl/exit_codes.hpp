#pragma once

#include "base/error.hpp"

namespace konductor::kondctl {

/// The same for every verb. Fixed: users' podFailurePolicy rules name them.
enum class ExitCode : int {
  done = 0,
  failed = 1,         // any other error
  usage = 2,          // wrong command line, kubeconfig or environment
  not_available = 3,  // not now, and --wait was not given
  no_such_object = 4,
  refused = 5,      // by the server or the primitive: forbidden, denied, invalid
  unreachable = 6,  // no API server, or no operator that answers
  timed_out = 124,
  lost = 125,  // held, and lost
  interrupted = 130,
  terminated = 143
};

/// What an error means to the caller's script.
[[nodiscard]] ExitCode exit_code_for(Errc code) noexcept;
[[nodiscard]] ExitCode exit_code_for(const Error& error) noexcept;

}  // namespace konductor::kondctl
