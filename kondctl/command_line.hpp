#pragma once

#include "kondctl/options.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace konductor::kondctl {

/// What must be known before the commands are: they come from the plugins.
struct FirstLook {
  std::vector<std::string> plugin_dirs;
  bool needs_plugins = true;
};
[[nodiscard]] FirstLook first_look(std::span<const std::string> args);

using CommandLine = std::variant<Invocation, Farewell>;

/// Names the participant where no flag does.
inline constexpr const char* participant_variable = "KONDUCTOR_PARTICIPANT";

/// Without the program's name. `kinds` must outlive the result. Pure: reads no environment, prints nothing;
/// `participant` is the value of that variable, empty where it is not set; `program` is what the user typed for
/// kondctl.
[[nodiscard]] CommandLine parse_command_line(std::span<const std::string> args,
                                             std::span<const runtime::KindDeclaration> kinds,
                                             const std::string& participant = {},
                                             const std::string& program = "kondctl");

/// The actions that this kondctl has code for; commands of others are left out.
[[nodiscard]] bool has_action(runtime::Action action) noexcept;

}  // namespace konductor::kondctl
