#pragma once

#include "kondctl/colour.hpp"
#include "kondctl/table.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// How `list` and `status` show primitives.
namespace konductor::kondctl {

struct TableShape {
  bool wide = false;
  bool with_namespace = false;
  bool with_kind = false;  // "widget/q": where objects of several kinds are shown
  bool colours = false;
};

/// The columns that the kind declares, between the name and the age.
[[nodiscard]] Row header_of(const runtime::KindDeclaration& kind, const TableShape& shape);
[[nodiscard]] Row row_of(const nlohmann::json& object, const runtime::KindDeclaration& kind, const TableShape& shape,
                         kube::WallTime now);
[[nodiscard]] std::string table_of_primitives(const std::vector<nlohmann::json>& objects,
                                              const runtime::KindDeclaration& kind, const TableShape& shape,
                                              kube::WallTime now);

inline constexpr std::string_view phase_path = ".status.phase";
/// A table that is printed as rows come, with the widths of those before.
class GrowingTable {
 public:
  /// The kind must outlive it.
  GrowingTable(const runtime::KindDeclaration& kind, const TableShape& shape) : kind_(kind), shape_(shape) {}

  /// `remark` stands behind the last column of each.
  [[nodiscard]] std::string rows(const std::vector<nlohmann::json>& objects, const std::string& remark,
                                 kube::WallTime now, bool with_header);

 private:
  const runtime::KindDeclaration& kind_;
  TableShape shape_;
  std::vector<std::size_t> widths_;
};

/// Of its phase: what it serves is good, what it says against itself bad.
[[nodiscard]] Colour colour_of(const nlohmann::json& primitive, const runtime::KindDeclaration& kind);

/// An object as -o json and -o yaml show it: without metadata.managedFields, as kubectl does.
[[nodiscard]] nlohmann::json presentable(nlohmann::json object);
/// A v1 List of such objects.
[[nodiscard]] nlohmann::json as_list(const std::vector<nlohmann::json>& objects);

}  // namespace konductor::kondctl
