#include "kondctl/primitive_tables.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

std::vector<const runtime::ColumnDeclaration*> columns_of(const runtime::KindDeclaration& kind,
                                                          const TableShape& shape) {
  std::vector<const runtime::ColumnDeclaration*> columns;
  for (const runtime::ColumnDeclaration& column : kind.columns) {
    if (column.place == runtime::Place::primitive && (shape.wide || column.priority == 0)) columns.push_back(&column);
  }
  return columns;
}

}  // namespace

Row header_of(const runtime::KindDeclaration& kind, const TableShape& shape) {
  Row header;
  if (shape.with_namespace) header.emplace_back("NAMESPACE");
  header.emplace_back("NAME");
  for (const auto* column : columns_of(kind, shape)) header.push_back(column->name);
  header.emplace_back("AGE");
  return header;
}

Row row_of(const json& object, const runtime::KindDeclaration& kind, const TableShape& shape, kube::WallTime now) {
  Row row;
  if (shape.with_namespace) row.push_back(text_at(object, "metadata.namespace"));
  row.push_back((shape.with_kind ? kind.names.singular + "/" : std::string{}) + text_at(object, "metadata.name"));
  for (const auto* column : columns_of(kind, shape)) row.push_back(cell(object, *column, now));
  row.push_back(age(text_at(object, "metadata.creationTimestamp"), now));
  return row;
}

std::string table_of_primitives(const std::vector<json>& objects, const runtime::KindDeclaration& kind,
                                const TableShape& shape, kube::WallTime now) {
  return GrowingTable(kind, shape).rows(objects, {}, now, true);
}

std::string GrowingTable::rows(const std::vector<json>& objects, const std::string& remark, kube::WallTime now,
                               bool with_header) {
  std::vector<Row> rows;
  if (with_header) rows.push_back(header_of(kind_, shape_));
  Tints tints;
  const auto columns = columns_of(kind_, shape_);
  const std::size_t first = shape_.with_namespace ? 2 : 1;
  for (const json& object : objects) {
    for (std::size_t i = 0; shape_.colours && i < columns.size(); ++i) {
      if (columns[i]->json_path == phase_path) tints[{rows.size(), first + i}] = colour_of(object, kind_);
    }
    Row row = row_of(object, kind_, shape_, now);
    if (!remark.empty()) row.push_back(remark);
    rows.push_back(std::move(row));
  }
  return render_rows(rows, tints, widths_);
}

Colour colour_of(const json& primitive, const runtime::KindDeclaration& kind) {
  const std::string& phase = text_at(primitive, "status.phase");
  if (phase.empty()) return Colour::none;
  if (phase == kind.wait.failed_phase) return Colour::bad;
  if (phase == kind.wait.open_phase) return Colour::good;
  const json* ready = kube::condition_of(primitive, "Ready");
  if (ready != nullptr && text_at(*ready, "status") == "False") return Colour::bad;
  // The standard condition's word: a kind that has such a phase means the same by it.
  return phase == "Ready" ? Colour::good : Colour::attention;
}

json presentable(json object) {
  if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
    object["metadata"].erase("managedFields");
  }
  return object;
}

json as_list(const std::vector<json>& objects) {
  json items = json::array();
  for (const json& object : objects) items.push_back(presentable(object));
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}};
}

}  // namespace konductor::kondctl
