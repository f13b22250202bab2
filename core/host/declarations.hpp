#pragma once

#include "base/error.hpp"
#include "host/abi_adapter.hpp"
#include "runtime/kind.hpp"

#include <konductor/plugin.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::host {

/// A plugin's declarations as values, checked. Nothing here but `decide` points into the plugin.
struct PluginDeclaration {
  std::string name;
  std::string version;
  std::uint32_t abi_major = 0;
  std::uint32_t min_host_minor = 0;
  std::vector<runtime::KindDeclaration> kinds;
};

/// Copies and checks what a plugin declares, as untrusted input: the Error (plugin_incompatible) names plugin, kind and
/// member. `plugin` and its `decide` functions must outlive every copy of the result.
Result<PluginDeclaration> declare_plugin(const konductor_plugin& plugin, const MonoClock& clock);

/// One kind of it. `who` starts every reason: "plugin widgets".
Result<runtime::KindDeclaration> declare_kind(const konductor_kind& kind, std::string_view who, const MonoClock& clock);

}  // namespace konductor::host
