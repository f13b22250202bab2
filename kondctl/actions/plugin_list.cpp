#include "kondctl/actions/actions.hpp"
#include "kondctl/suggestion.hpp"
#include "kondctl/table.hpp"

#include <nlohmann/json.hpp>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

std::vector<std::string> kind_names(const host::LoadedPlugin& plugin) {
  std::vector<std::string> names;
  names.reserve(plugin.declaration.kinds.size());
  for (const runtime::KindDeclaration& kind : plugin.declaration.kinds) names.push_back(kind.names.kind);
  return names;
}

json as_json(const host::PluginRegistry& plugins) {
  json loaded = json::array();
  for (const host::LoadedPlugin& plugin : plugins.loaded) {
    loaded.push_back({{"name", plugin.declaration.name},
                      {"version", plugin.declaration.version},
                      {"kinds", kind_names(plugin)},
                      {"file", plugin.file}});
  }
  json refused = json::array();
  for (const host::RefusedPlugin& plugin : plugins.refused) {
    refused.push_back({{"file", plugin.file}, {"reason", plugin.reason}});
  }
  return {{"loaded", loaded}, {"refused", refused}};
}

}  // namespace

ExitCode list_plugins(const host::PluginRegistry& plugins, Format format, Console& console) {
  if (format == Format::json || format == Format::yaml) {
    console.print(to_text(as_json(plugins), format));
    return ExitCode::done;
  }
  if (format == Format::name) {
    for (const host::LoadedPlugin& plugin : plugins.loaded) console.print(plugin.declaration.name + "\n");
    return ExitCode::done;
  }
  std::vector<Row> rows{{"NAME", "VERSION", "KINDS", "FILE"}};
  for (const host::LoadedPlugin& plugin : plugins.loaded) {
    rows.push_back({plugin.declaration.name, plugin.declaration.version, joined(kind_names(plugin)), plugin.file});
  }
  if (plugins.loaded.empty()) console.note("no plugin is loaded");
  if (!plugins.loaded.empty()) console.print(render_table(rows));
  for (const host::RefusedPlugin& plugin : plugins.refused) {
    console.print("refused: " + plugin.file + ": " + plugin.reason + "\n");
  }
  return ExitCode::done;
}

}  // namespace konductor::kondctl
