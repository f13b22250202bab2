#pragma once

/// A thin C++17 layer on plugin.h, with no dependency but the standard library. A plugin is a table (declare.hpp: a
/// Kind and its lists, all constexpr) and one function (decide.hpp); json.hpp reads and writes its few JSON members for
/// those who bring no JSON library, duration.hpp what stands there as "90s". See docs/plugins.md.
#include <konductor/decide.hpp>
#include <konductor/declare.hpp>
#include <konductor/plugin.h>

/// Emits the plugin's one symbol and its ELF note. Once, at global scope, with a semicolon:
///     KONDUCTOR_PLUGIN("door", "1.0.0", 0, &door);
/// `oldest_host_minor` is the oldest minor of the ABI that the plugin needs; the rest are its kinds, constants.
#define KONDUCTOR_PLUGIN(plugin_name, plugin_version, oldest_host_minor, ...)      \
  KONDUCTOR_DECLARE_NOTE(plugin_name, plugin_version, oldest_host_minor);          \
  static constexpr const konductor_kind* konductor_plugin_kinds[] = {__VA_ARGS__}; \
  constexpr konductor_plugin konductor_plugin_v1 = {                               \
      sizeof(konductor_plugin),   KONDUCTOR_ABI_MAJOR,                             \
      oldest_host_minor,          0,                                               \
      KONDUCTOR_STR(plugin_name), KONDUCTOR_STR(plugin_version),                   \
      konductor_plugin_kinds,     sizeof(konductor_plugin_kinds) / sizeof(konductor_plugin_kinds[0])}
