#pragma once

#include "tests/sim/kind_under_test.hpp"

namespace konductor::sim {

/// The kinds that simulation runs, each through the vtable of its plugin.
KindUnderTest semaphore_kind();
/// The same, with priorityAging and maxPriority.
KindUnderTest aging_semaphore_kind();
KindUnderTest rwlock_kind();
KindUnderTest token_bucket_kind();

}  // namespace konductor::sim
