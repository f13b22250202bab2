#pragma once

#include "kondctl/command_description.hpp"

#include <string>

/// Manual pages in the man macros of troff, from the same description as --help.
namespace konductor::kondctl {

/// kondctl(1): all commands by name, the global flags, exit codes.
[[nodiscard]] std::string man_page(const CommandDescription& root, const std::string& version);
/// kondctl-KIND(1): each verb of one kind with its flags. `group` is a member of root.commands.
[[nodiscard]] std::string man_page_of_kind(const CommandDescription& group, const std::string& version);

}  // namespace konductor::kondctl
