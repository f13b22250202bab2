#pragma once

#include "barrier/types.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The only place that knows the JSON of a Barrier.
namespace konductor::barrier {

/// Empty where the JSON is no spec that can be served.
std::optional<Spec> parse_spec(std::string_view json);

/// Empty where the JSON is no state that to_json could have written.
std::optional<State> parse_state(std::string_view json);

std::string to_json(const State& state);
/// What people see.
std::string status_json(const State& state, const Standing& stands, std::optional<std::int64_t> deadline);

/// "Waiting", "Open", "Failed".
std::string_view to_string(Phase phase);

}  // namespace konductor::barrier
