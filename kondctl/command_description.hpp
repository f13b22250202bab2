#pragma once

#include "runtime/kind.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): another library
class App;
}

namespace konductor::kondctl {

struct OptionDescription {
  std::vector<std::string> names;  // "-o", "--output"
  std::string placeholder;         // empty: it takes no value
  std::string help;
  std::vector<std::string> values;  // where only these can be meant
  bool required = false;
};

/// What can be typed, as a value: completion and manual pages are made from it.
struct CommandDescription {
  std::string name;
  std::vector<std::string> aliases;
  std::string summary;
  std::string footer;
  std::vector<OptionDescription> options;
  std::string positional;                          // "NAME"; empty: it takes none
  std::vector<std::string> values;                 // of the positional, where only these can be meant
  const runtime::KindDeclaration* kind = nullptr;  // whose objects it is about; the kinds outlive this
  std::vector<CommandDescription> commands;

  /// By one of its names; null if there is none.
  [[nodiscard]] OptionDescription* option(const std::string& flag);
};

/// Adds what the tree of commands does not know itself: kinds, and values.
using Enrich = std::function<void(const CLI::App&, CommandDescription&)>;
[[nodiscard]] CommandDescription describe(const CLI::App& app, const Enrich& enrich);

/// The values that a flag can have, by the schema of what it is bound to; empty where there are too many to say.
[[nodiscard]] std::vector<std::string> values_of(const runtime::FlagDeclaration& flag, const std::string& spec_schema);

}  // namespace konductor::kondctl
