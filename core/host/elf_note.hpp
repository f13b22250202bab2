#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace konductor::host {

/// What a plugin says about itself before any of its code can run.
struct PluginNote {
  std::uint32_t abi_major = 0;
  std::uint32_t min_host_minor = 0;
  std::string name;
  std::string version;
  /// Whether opening it runs code of its own: static constructors beyond the one of the C runtime.
  bool has_constructors = false;
  bool operator==(const PluginNote&) const = default;
};

/// Finds the note "Konductor" in the bytes of a file. Reads nothing outside of them, whatever they say. The Error
/// (plugin_incompatible) says what the file is instead: "is not an ELF file", "is a 32-bit file", "is truncated", ...
Result<PluginNote> read_note(std::span<const std::byte> file);

}  // namespace konductor::host
