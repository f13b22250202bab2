#pragma once

#include "runtime/clock.hpp"

#include <string>
#include <vector>

namespace konductor::kondctl {

/// The whole program, from its name and arguments to its exit code. `started`: --timeout counts from there. As
/// kubectl-NAME it is `kubectl NAME`; as kubectl_complete-NAME it answers kubectl, which completes that.
int run(const std::string& program, const std::vector<std::string>& args, runtime::MonoTime started);

}  // namespace konductor::kondctl
