#include "kondctl/table.hpp"

#include "kondctl/json_path.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace konductor::kondctl {

namespace {

// Length as a terminal shows it: bytes that continue a UTF-8 character take no place.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// The smaller one is left out where there is none of it.
std::string two_units(std::int64_t most, const char* unit, std::int64_t rest, const char* smaller) {
  return std::to_string(most) + unit + (rest != 0 ? std::to_string(rest) + smaller : "");
}

}  // namespace

std::string render_table(const std::vector<Row>& rows, const Tints& tints) {
  std::vector<std::size_t> widths;
  return render_rows(rows, tints, widths);
}

std::string render_rows(const std::vector<Row>& raw, const Tints& tints, std::vector<std::size_t>& widths) {
  // What others wrote may hold control characters; a terminal must not get them.
  std::vector<Row> rows = raw;
  for (Row& row : rows) {
    for (std::string& text : row) text = kube::visible(text);
  }
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto tint = tints.find({r, i});
      line += tint == tints.end() ? row[i] : painted(row[i], tint->second);
      line.append(widths[i] - width(row[i]) + 3, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string cell(const nlohmann::json& object, const runtime::ColumnDeclaration& column, kube::WallTime now) {
  const nlohmann::json* value = find_column(object, column.json_path);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) return value->dump();
  const auto text = value->get<std::string>();
  return column.type == "date" ? age(text, now) : kube::one_line(text, 200);
}

std::string human_duration(kube::Duration duration) {
  const auto total = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  const auto minutes = total / 60;
  const auto hours = minutes / 60;
  const auto days = hours / 24;
  if (total < 120) return std::to_string(total) + "s";
  if (minutes < 10) return two_units(minutes, "m", total % 60, "s");
  if (minutes < 180) return std::to_string(minutes) + "m";
  if (hours < 8) return two_units(hours, "h", minutes % 60, "m");
  if (hours < 48) return std::to_string(hours) + "h";
  if (days < 8) return two_units(days, "d", hours % 24, "h");
  if (days < 365 * 2) return std::to_string(days) + "d";
  if (days < 365 * 8) return two_units(days / 365, "y", days % 365, "d");
  return std::to_string(days / 365) + "y";
}

std::string age(std::string_view time, kube::WallTime now) {
  const auto then = kube::parse_rfc3339(time);
  return then ? human_duration(now - *then) : "<unknown>";
}

}  // namespace konductor::kondctl
