#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "runtime/kind.hpp"

#include <string>

namespace konductor::kondctl {

/// To whom asks for more than there can be.
inline constexpr const char* exceeding_advice = "ask for less, or have the limit raised first";

/// The words for stderr: the error's own, and what to do where only kondctl knows it.
[[nodiscard]] std::string sentence_for(const Error& error);

/// What the user types to give a claim back. An empty `claim` leaves it to kondctl to find it by its holder.
[[nodiscard]] std::string release_command(const runtime::KindDeclaration& kind, const kube::NamespacedName& primitive,
                                          const std::string& claim);

}  // namespace konductor::kondctl
