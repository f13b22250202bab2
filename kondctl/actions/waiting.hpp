#pragma once

#include "kondctl/session.hpp"
#include "kondctl/wait_machine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

/// What the actions that wait for a phase have in common.
namespace konductor::kondctl {

/// For the primitive of the command line and the round that it names; nothing is joined.
[[nodiscard]] WaitWish wish_to_wait(const Session& session);

/// What became of it: "widget team/q is Open: 3 of 3 have come", or "widget team/q has served round 4".
[[nodiscard]] std::string ending(const WaitWish& wish, const WaitOutcome& outcome);
/// The same as JSON, with the names of the primitive.
[[nodiscard]] nlohmann::json ending_as_json(const WaitWish& wish, const WaitOutcome& outcome);

}  // namespace konductor::kondctl
