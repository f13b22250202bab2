#pragma once

#include "base/error.hpp"
#include "host/declarations.hpp"

#include <filesystem>
#include <string>

namespace konductor::host {

/// A plugin that is open and stays open until the process ends.
struct LoadedPlugin {
  std::string file;  // resolved
  PluginDeclaration declaration;
};

/// Opens a plugin after every check of design.md section 4, in this order: the resolved path lies in `folder`; file and
/// parents are not writable by others; the ELF note fits this host; its static constructors run (a library that has any
/// is first opened in a child process, because an exception inside dlopen terminates the process); the symbol
/// comes from that very file and says what the note says. The Error (plugin_incompatible) says what was expected and
/// found. Reads files and may fork: at start, before there are threads.
Result<LoadedPlugin> load_plugin(const std::filesystem::path& file, const std::filesystem::path& folder,
                                 const MonoClock& clock);

}  // namespace konductor::host
