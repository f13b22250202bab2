#pragma once

#include "tests/sim/gathering.hpp"
#include "tests/sim/kind_under_test.hpp"
#include "tests/sim/rounds.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace konductor::sim {

/// The kinds that simulation runs, each through the vtable of its plugin.
KindUnderTest semaphore_kind();
/// The same, with priorityAging and maxPriority.
KindUnderTest aging_semaphore_kind();
KindUnderTest rwlock_kind();
KindUnderTest token_bucket_kind();
/// One that counts.
CountingKind meeting_kind();
/// One that counts in rounds, and the worlds in which it is run.
RoundsKind barrier_kind();
std::vector<RoundsScenario> round_scenarios();

/// By the name under which people ask for it: semaphore, aging, rwlock, bucket.
std::optional<KindUnderTest> kind_named(std::string_view name);

}  // namespace konductor::sim
