#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace konductor::kondctl {

/// The value of a printer column: ".spec.a.b", a member whose name has a dot as "a\.b", an element of an array as
/// "[0]"; null where there is none. That part of JSONPath which columns of custom resources use. Points into `object`.
[[nodiscard]] const nlohmann::json* find_column(const nlohmann::json& object, std::string_view json_path);

/// Sets the value at a dotted path. Makes the objects on the way; what is no object is replaced.
void set_path(nlohmann::json& object, std::string_view path, const nlohmann::json& value);

}  // namespace konductor::kondctl
