#pragma once

#include "semaphore/types.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The only place that knows the JSON of a Semaphore.
namespace konductor::semaphore {

/// Empty where the JSON is no spec that can be served.
std::optional<Spec> parse_spec(std::string_view json);

/// "Ready", "Paused", "Draining".
std::string_view to_string(Phase phase);

std::string to_json(const Status& status);

}  // namespace konductor::semaphore
