#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/table.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

constexpr runtime::Duration patience = std::chrono::seconds{10};

std::string table_of(const std::vector<json>& objects, const Session& session) {
  const bool wide = session.invocation.global.output == Format::wide;
  const bool with_namespace = session.invocation.all_namespaces;
  std::vector<runtime::ColumnDeclaration> columns;
  for (const runtime::ColumnDeclaration& column : session.invocation.kind->columns) {
    if (column.place == runtime::Place::primitive && (wide || column.priority == 0)) columns.push_back(column);
  }
  const kube::WallTime now = session.client->server_now();
  Row header;
  if (with_namespace) header.emplace_back("NAMESPACE");
  header.emplace_back("NAME");
  for (const runtime::ColumnDeclaration& column : columns) header.push_back(column.name);
  header.emplace_back("AGE");
  std::vector<Row> rows{header};
  for (const json& object : objects) {
    Row row;
    if (with_namespace) row.push_back(kube::text_at(object, "metadata.namespace"));
    row.push_back(kube::text_at(object, "metadata.name"));
    for (const runtime::ColumnDeclaration& column : columns) row.push_back(cell(object, column, now));
    row.push_back(age(kube::text_at(object, "metadata.creationTimestamp"), now));
    rows.push_back(std::move(row));
  }
  return render_table(rows);
}

}  // namespace

ExitCode list(Session& session) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const std::string ns = session.invocation.all_namespaces ? std::string{} : session.ns();
  const auto objects = session.list(kind.primitive_resource(), ns, {}, session.started + patience);
  if (!objects) return report(session.console, objects.error());
  const Format format = session.invocation.global.output;
  if (format == Format::json || format == Format::yaml) {
    session.console.print(to_text({{"apiVersion", "v1"}, {"kind", "List"}, {"items", *objects}}, format));
    return ExitCode::done;
  }
  if (format == Format::name) {
    for (const json& object : *objects) {
      session.console.print(resource_line(kind.names.singular, kube::text_at(object, "metadata.name")));
    }
    return ExitCode::done;
  }
  if (objects->empty()) {
    session.console.note("no " + kind.names.plural + (ns.empty() ? " in any namespace" : " in namespace " + ns));
    return ExitCode::done;
  }
  session.console.print(table_of(*objects, session));
  return ExitCode::done;
}

}  // namespace konductor::kondctl
