#pragma once

#include "kondctl/exit_codes.hpp"
#include "kondctl/session.hpp"
#include "runtime/kind.hpp"

#include <span>

/// `status` and `list` with --watch: they end with a signal, or when nothing is left to look at.
namespace konductor::kondctl {

/// First what there is, then a row for each change, as kubectl does.
ExitCode follow_lists(Session& session, std::span<const runtime::KindDeclaration* const> kinds, bool with_kind);
/// One object and its claims, anew after each change; a few times a second at most.
ExitCode follow_object(Session& session);

}  // namespace konductor::kondctl
