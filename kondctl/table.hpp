#pragma once

#include "kondctl/colour.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace konductor::kondctl {

using Row = std::vector<std::string>;
/// Of the cell in a row and a column that has a colour.
using Tints = std::map<std::pair<std::size_t, std::size_t>, Colour>;

/// Columns padded to their widest cell, three blanks between; a row may be shorter than the first. Cells are made
/// visible().
[[nodiscard]] std::string render_table(const std::vector<Row>& rows, const Tints& tints = {});

/// The same of rows that are printed bit by bit: `widths` of the columns are kept from one time to the next, and grow.
[[nodiscard]] std::string render_rows(const std::vector<Row>& rows, const Tints& tints,
                                      std::vector<std::size_t>& widths);

/// What a printer column shows of `object`; "" where there is nothing, dates as an age.
[[nodiscard]] std::string cell(const nlohmann::json& object, const runtime::ColumnDeclaration& column,
                               kube::WallTime now);

/// "45s", "12m", "3h10m", "5d": as kubectl writes durations.
[[nodiscard]] std::string human_duration(kube::Duration duration);
/// The same of the time since `time`; "<unknown>" where that is none.
[[nodiscard]] std::string age(std::string_view time, kube::WallTime now);

}  // namespace konductor::kondctl
