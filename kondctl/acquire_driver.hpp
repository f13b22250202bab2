#pragma once

#include "kondctl/claim_machine.hpp"
#include "kondctl/session.hpp"

namespace konductor::kondctl {

/// Runs the machine until it finishes: sends what it says, tells it what happened. SIGINT and SIGTERM go to it too.
[[nodiscard]] ClaimOutcome drive_claim(Session& session, ClaimMachine machine);

}  // namespace konductor::kondctl
