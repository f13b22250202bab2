#pragma once

/// A thin C++17 layer on plugin.h, with no dependency but the standard library. A plugin is a table (declare.hpp: a
/// Kind and its lists, all constexpr) and one function (decide.hpp); json.hpp reads and writes its few JSON members for
/// those who bring no JSON library, duration.hpp what stands there as "90s". See docs/plugins.md.
#include <konductor/decide.hpp>
#include <konductor/declare.hpp>
#include <konductor/plugin.h>
