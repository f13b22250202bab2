#pragma once

#include "base/error.hpp"
#include "host/plugin_library.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace konductor::host {

struct RefusedPlugin {
  std::string file;
  std::string reason;  // a sentence that names the file: what was expected, what was found
};

/// What a program's plugin folders held.
struct PluginRegistry {
  std::vector<LoadedPlugin> loaded;    // in the order of folders, then of file names
  std::vector<RefusedPlugin> refused;  // stops nothing else

  /// All kinds of all loaded plugins, as copies.
  [[nodiscard]] std::vector<runtime::KindDeclaration> kinds() const;
};

/// Loads every *.so of the folders. A plugin whose kinds use a name that is taken by an earlier one is refused. A
/// folder that is missing or cannot be read is an Error (bad_config).
Result<PluginRegistry> load_plugins(std::span<const std::filesystem::path> folders, const MonoClock& clock);

/// The folders to load from: those of --plugin-dir, else of KONDUCTOR_PLUGIN_DIR (a list separated by colons), else
/// lib/konductor/1 beside the folder of the program.
std::vector<std::filesystem::path> plugin_folders(std::span<const std::string> flags, std::string_view environment,
                                                  const std::filesystem::path& executable);

}  // namespace konductor::host
