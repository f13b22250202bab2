#include "fuzz/semaphore_kind.hpp"

#include "fuzz/fuzz.hpp"
#include "host/declarations.hpp"

#include <konductor/plugin.h>

namespace konductor::fuzz {

const runtime::KindDeclaration& semaphore_kind() {
  static const runtime::KindDeclaration kind = [] {
    const auto plugin = host::declare_plugin(konductor_plugin_v1, [] { return runtime::MonoTime{}; });
    expect(plugin && plugin->kinds.size() == 1, "the plugin's declarations are valid");
    return plugin->kinds.front();
  }();
  return kind;
}

}  // namespace konductor::fuzz
