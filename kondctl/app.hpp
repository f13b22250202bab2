#pragma once

#include "runtime/clock.hpp"

#include <string>
#include <vector>

namespace konductor::kondctl {

/// The whole program, from its arguments (without its name) to its exit code. `started`: --timeout counts from there.
int run(const std::vector<std::string>& args, runtime::MonoTime started);

}  // namespace konductor::kondctl
