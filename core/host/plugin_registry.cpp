#include "host/plugin_registry.hpp"

#include "host/declaration_check.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

namespace konductor::host {
namespace {

namespace fs = std::filesystem;

/// Every *.so of a folder, sorted, whatever it is: a directory of that name is refused by name later.
Result<std::vector<fs::path>> libraries_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  }
  if (failed) {
    return Error{Errc::bad_config, "cannot read the plugin folder " + folder.string() + ": " + failed.message()};
  }
  std::ranges::sort(files);
  return files;
}

std::string why_in_the_way(const PluginRegistry& registry, const PluginDeclaration& added) {
  for (const auto& plugin : registry.loaded) {
    if (plugin.declaration.name == added.name)
      return "the plugin " + added.name + " is already loaded from " + plugin.file;
    for (const auto& kind : added.kinds) {
      if (auto why = why_names_collide(plugin.declaration.kinds, kind); !why.empty()) return why;
    }
  }
  return {};
}

}  // namespace

std::vector<runtime::KindDeclaration> PluginRegistry::kinds() const {
  std::vector<runtime::KindDeclaration> all;
  for (const auto& plugin : loaded) {
    all.insert(all.end(), plugin.declaration.kinds.begin(), plugin.declaration.kinds.end());
  }
  return all;
}

Result<PluginRegistry> load_plugins(std::span<const fs::path> folders, const MonoClock& clock) {
  PluginRegistry registry;
  for (const auto& folder : folders) {
    const auto files = libraries_in(folder);
    if (!files) return files.error();
    for (const auto& file : *files) {
      auto plugin = load_plugin(file, folder, clock);
      if (!plugin) {
        registry.refused.push_back({file.string(), plugin.error().detail});
      } else if (auto why = why_in_the_way(registry, plugin->declaration); !why.empty()) {
        registry.refused.push_back({file.string(), file.string() + " is refused: " + why});
      } else {
        registry.loaded.push_back(std::move(*plugin));
      }
    }
  }
  return registry;
}

std::vector<fs::path> plugin_folders(std::span<const std::string> flags, std::string_view environment,
                                     const fs::path& executable) {
  std::vector<fs::path> folders(flags.begin(), flags.end());
  if (!folders.empty()) return folders;
  while (!environment.empty()) {
    const auto end = environment.find(':');
    if (const auto part = environment.substr(0, end); !part.empty()) folders.emplace_back(part);
    environment.remove_prefix(end == std::string_view::npos ? environment.size() : end + 1);
  }
  if (folders.empty()) folders.push_back((executable.parent_path() / "../lib/konductor/1").lexically_normal());
  return folders;
}

}  // namespace konductor::host
