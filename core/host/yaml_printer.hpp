#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace konductor::host {

/// JSON as block-style YAML, members sorted, ended by a newline. Text that YAML could take for something else is
/// quoted.
std::string to_yaml(const nlohmann::json& value);

}  // namespace konductor::host
