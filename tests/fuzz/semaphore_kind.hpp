#pragma once

#include "runtime/kind.hpp"

namespace konductor::fuzz {

/// As the plugin `semaphore`, which is linked in, declares it: what the programs work with.
const runtime::KindDeclaration& semaphore_kind();

}  // namespace konductor::fuzz
