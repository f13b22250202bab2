#include "kondctl/command_line.hpp"
#include "kondctl/command_tree.hpp"

#include <algorithm>
#include <array>

namespace konductor::kondctl {

namespace {

using runtime::KindDeclaration;

constexpr std::array<std::string_view, 7> reserved_words{"plugin",     "version", "status", "help",
                                                         "completion", "explain", "man"};

}  // namespace

std::vector<std::string> first_words(std::span<const KindDeclaration> kinds) {
  std::vector<std::string> words(reserved_words.begin(), reserved_words.end());
  words.reserve(words.size() + kinds.size());
  for (const KindDeclaration& kind : kinds) words.push_back(kind.names.singular);
  return words;
}

bool is_reserved_word(std::string_view word) noexcept {
  return std::find(reserved_words.begin(), reserved_words.end(), word) != reserved_words.end();
}

const KindDeclaration* kind_named(std::span<const KindDeclaration> kinds, std::string_view word) {
  for (const KindDeclaration& kind : kinds) {
    if (word == kind.names.singular) return &kind;
  }
  for (const KindDeclaration& kind : kinds) {
    if (!word.empty() && (word == kind.names.plural || word == kind.names.short_name)) return &kind;
  }
  return nullptr;
}

bool has_ttl(const KindDeclaration& kind) noexcept {
  return kind.mode == runtime::Mode::granted;
}

bool is_usable(const KindDeclaration& kind, runtime::Action action) {
  using runtime::Action;
  if (!has_action(action)) return false;
  const bool counted = kind.mode == runtime::Mode::counted;
  switch (action) {
    case Action::acquire:
    case Action::run:
    case Action::hold:
    case Action::renew:
    case Action::release: return !kind.claim.plural.empty() && !counted;
    case Action::join: return !kind.claim.plural.empty() && counted;
    case Action::wait_for_phase: return !kind.wait.open_phase.empty();
    default: return true;
  }
}

std::vector<std::string> verbs_of(const KindDeclaration& kind) {
  std::vector<std::string> verbs;
  for (const runtime::CommandDeclaration& command : kind.commands) {
    if (is_usable(kind, command.action)) verbs.push_back(command.verb);
  }
  return verbs;
}

}  // namespace konductor::kondctl
