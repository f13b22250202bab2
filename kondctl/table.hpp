#pragma once

#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kondctl {

using Row = std::vector<std::string>;

/// Columns padded to their widest cell, three blanks between; a row may be shorter than the first. Cells are made
/// visible().
[[nodiscard]] std::string render_table(const std::vector<Row>& rows);

/// What a printer column shows of `object`; "" where there is nothing, dates as an age.
[[nodiscard]] std::string cell(const nlohmann::json& object, const runtime::ColumnDeclaration& column,
                               kube::WallTime now);

/// "45s", "12m", "3h10m", "5d": as kubectl writes ages; "<unknown>" where `time` is none.
[[nodiscard]] std::string age(std::string_view time, kube::WallTime now);

}  // namespace konductor::kondctl
