#pragma once

#include "base/error.hpp"
#include "runtime/kind.hpp"

#include <span>
#include <string>

namespace konductor::kondctl {

/// A kind, or one of its fields ("widget.spec.size"), in the words of its schema, as `kubectl explain` shows it. No
/// server is asked: the schema is composed from the plugin. Errc::bad_config where there is no such thing.
[[nodiscard]] Result<std::string> explain(std::span<const runtime::KindDeclaration> kinds, const std::string& path);

}  // namespace konductor::kondctl
