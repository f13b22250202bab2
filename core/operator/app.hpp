#pragma once

#include "operator/options.hpp"

namespace konductor::app {

/// Runs the operator until SIGTERM or SIGINT. Gives the process's exit code: 0, or 2 for a start that cannot work, with
/// one sentence on stderr.
int run(const Options& options);

}  // namespace konductor::app
