#pragma once

#include "kondctl/command_description.hpp"
#include "kondctl/options.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace konductor::kondctl {

/// What was typed, before its values are checked.
struct RawCommandLine {
  Invocation::Purpose purpose = Invocation::Purpose::version;
  const runtime::KindDeclaration* kind = nullptr;
  const runtime::CommandDeclaration* command = nullptr;
  runtime::Action action = runtime::Action::show;
  std::string name;
  bool all_namespaces = false;
  bool watch = false;
  bool wait = false;
  bool keep = false;
  std::string format = "table";
  std::string topic;
  std::string folder;
  GlobalOptions global;
  std::map<std::string, std::string> host_flags;  // those that were given
  std::map<std::string, std::string> declared_flags;

  [[nodiscard]] bool has(const std::string& flag) const { return host_flags.contains(flag); }
  [[nodiscard]] std::string text(const std::string& flag) const { return has(flag) ? host_flags.at(flag) : ""; }
  [[nodiscard]] bool has_declared(const std::string& flag) const { return declared_flags.contains(flag); }
  [[nodiscard]] const std::string& declared(const std::string& flag) const { return declared_flags.at(flag); }
};

/// The commands of the host and of all kinds, with their help.
class CommandTree {
 public:
  explicit CommandTree(std::span<const runtime::KindDeclaration> kinds, const std::string& program = "kondctl");
  ~CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  std::variant<RawCommandLine, Farewell> parse(std::span<const std::string> args);
  [[nodiscard]] CommandDescription describe() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// True for the first words that are the host's own; a kind of that name has no commands.
[[nodiscard]] bool is_reserved_word(std::string_view word) noexcept;
/// All words that a command line can begin with.
[[nodiscard]] std::vector<std::string> first_words(std::span<const runtime::KindDeclaration> kinds);
/// By singular, plural or short name; null if there is none.
[[nodiscard]] const runtime::KindDeclaration* kind_named(std::span<const runtime::KindDeclaration> kinds,
                                                         std::string_view word);
/// Whether the host itself gives its primitives a `ttl`.
[[nodiscard]] bool has_ttl(const runtime::KindDeclaration& kind) noexcept;
/// Whether there is code for that action, and it means something for a kind of that sort.
[[nodiscard]] bool is_usable(const runtime::KindDeclaration& kind, runtime::Action action);
/// Of the actions that there is code for, in the order of the declaration.
[[nodiscard]] std::vector<std::string> verbs_of(const runtime::KindDeclaration& kind);

}  // namespace konductor::kondctl
