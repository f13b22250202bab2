#include "host/declaration_check.hpp"

#include "host/json_text.hpp"
#include "host/schema_check.hpp"
#include "host/words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace konductor::host {
namespace {

using runtime::Action;
using runtime::CommandDeclaration;
using runtime::KindDeclaration;
using runtime::Names;
using runtime::ValueType;

std::string item(const char* list, std::size_t index, const char* member) {
  return std::string(list) + "[" + std::to_string(index) + "]." + member + ": ";
}

std::string why_not_names(const Names& names, const std::string& member) {
  if (!is_kind_word(names.kind)) return member + ".kind: \"" + names.kind + "\" is not a CamelCase word";
  for (const auto& [which, word] : {std::pair{"plural", names.plural}, std::pair{"singular", names.singular}}) {
    if (!is_resource_word(word)) {
      return member + "." + which + ": \"" + word + "\" is not a lower-case DNS label that starts with a letter";
    }
  }
  if (!names.short_name.empty() && !is_resource_word(names.short_name)) {
    return member + ".short_name: \"" + names.short_name + "\" is not a lower-case DNS label that starts with a letter";
  }
  return {};
}

std::string why_not_claim_names(const KindDeclaration& kind) {
  if (kind.mode != runtime::Mode::observed) {
    if (auto why = why_not_names(kind.claim, "claim"); !why.empty()) return why;
    if (!is_member_name(kind.primitive_field)) {
      return "primitive_field: \"" + kind.primitive_field + "\" is not a camelCase member name";
    }
    if (!kind.units_field.empty() && !is_member_name(kind.units_field)) {
      return "units_field: \"" + kind.units_field + "\" is not a camelCase member name";
    }
    static constexpr std::array host_names = {"pod",      "holder",      "ttl",       "namespace",
                                              "priority", "requestedAt", "renewTime", "wait"};
    const auto taken = [](const std::string& name) { return std::ranges::find(host_names, name) != host_names.end(); };
    if (taken(kind.primitive_field)) return "primitive_field: \"" + kind.primitive_field + "\" is the host's own field";
    if (taken(kind.units_field)) return "units_field: \"" + kind.units_field + "\" is the host's own field";
    if (kind.units_field == kind.primitive_field) return "units_field: is the same as primitive_field";
    return kind.claim_description.empty() ? "claim_description: is missing" : std::string{};
  }
  const auto& claim = kind.claim;
  const bool none = claim.kind.empty() && claim.plural.empty() && claim.singular.empty() && claim.short_name.empty();
  if (!none) return "claim: a kind of mode KONDUCTOR_MODE_OBSERVED has no claims";
  if (!kind.claim_fields.empty()) return "claim_fields: a kind without claims has none";
  return {};
}

std::string why_not_participant(const KindDeclaration& kind) {
  if (kind.participant_field.empty()) return {};
  if (kind.mode == runtime::Mode::counted) return {};
  return "participant_field: only claims of a kind of mode KONDUCTOR_MODE_COUNTED stand for participants";
}

std::string why_not_wait(const KindDeclaration& kind) {
  const auto& wait = kind.wait;
  const std::array rounds = {wait.rounds_field, wait.round_field, wait.served_round_field};
  const auto given = std::ranges::count_if(rounds, [](const auto& name) { return !name.empty(); });
  if (wait.open_phase.empty() && wait.failed_phase.empty() && given == 0) return {};
  const auto no_word = [](const char* member, const std::string& phase) {
    return std::string("wait.") + member + ": \"" + phase + "\" is not a CamelCase word";
  };
  if (!is_reason_word(wait.open_phase)) return no_word("open_phase", wait.open_phase);
  if (!wait.failed_phase.empty() && !is_reason_word(wait.failed_phase))
    return no_word("failed_phase", wait.failed_phase);
  if (wait.open_phase == wait.failed_phase) return "wait.failed_phase: is the same as open_phase";
  if (given != 0 && given != std::ssize(rounds))
    return "wait: rounds_field, round_field and served_round_field are given together, or none of them";
  return {};
}

std::string why_not_rules(const KindDeclaration& kind) {
  for (std::size_t i = 0; i < kind.rules.size(); ++i) {
    const auto& rule = kind.rules[i];
    if (rule.rule.empty()) return item("rules", i, "rule") + "is empty";
    if (rule.message.empty() || rule.message.find('\n') != std::string::npos) {
      return item("rules", i, "message") + "must be one line that says what is right";
    }
    if (rule.place == runtime::Place::claim && kind.mode == runtime::Mode::observed) {
      return item("rules", i, "place") + "a kind without claims has no rules for them";
    }
  }
  return {};
}

std::string why_not_columns(const KindDeclaration& kind) {
  static constexpr std::array types = {"integer", "number", "string", "boolean", "date"};
  std::set<std::pair<runtime::Place, std::string>> seen;
  for (std::size_t i = 0; i < kind.columns.size(); ++i) {
    const auto& column = kind.columns[i];
    if (column.name.empty()) return item("columns", i, "name") + "is empty";
    if (!seen.emplace(column.place, column.name).second)
      return item("columns", i, "name") + column.name + " is there twice";
    if (std::ranges::find(types, column.type) == types.end()) {
      return item("columns", i, "type") + "\"" + column.type + "\" is none of integer, number, string, boolean, date";
    }
    if (!column.json_path.starts_with('.')) {
      return item("columns", i, "json_path") + "\"" + column.json_path + "\" does not begin with a dot";
    }
    if (column.priority < 0) return item("columns", i, "priority") + "is negative";
    if (column.place == runtime::Place::claim && kind.mode == runtime::Mode::observed) {
      return item("columns", i, "place") + "a kind without claims has no columns for them";
    }
  }
  return {};
}

/// What a holder does: of claims that are only counted there is none.
bool is_about_grants(Action action) {
  switch (action) {
    case Action::acquire:
    case Action::run:
    case Action::hold:
    case Action::renew:
    case Action::hand_over: return true;
    default: return false;
  }
}

bool is_about_claims(Action action) {
  return is_about_grants(action) || action == Action::release || action == Action::report;
}

bool is_host_flag(Action action, const std::string& name) {
  static constexpr std::array everywhere = {"help",  "namespace",  "context", "kubeconfig", "output",
                                            "quiet", "plugin-dir", "verbose", "version"};
  static constexpr std::array waiting = {"wait", "timeout"};
  static constexpr std::array joining = {"holder", "as"};
  static constexpr std::array claiming = {"ttl", "priority", "conflict-exit-code"};
  const auto in = [&](const auto& names) { return std::ranges::find(names, name) != names.end(); };
  const bool claims = is_about_claims(action);
  const bool joins = claims || action == Action::join;
  const bool waits = joins || action == Action::wait_for_phase;
  return in(everywhere) || (waits && in(waiting)) || (joins && in(joining)) || (claims && in(claiming));
}

std::string why_not_action(const KindDeclaration& kind, Action action) {
  using runtime::Mode;
  const bool joins = action == Action::join;
  if (kind.mode == Mode::observed && (is_about_claims(action) || joins))
    return "its action needs claims, which this kind does not have";
  if (joins && kind.mode != Mode::counted)
    return "its action is for claims that are only counted (KONDUCTOR_MODE_COUNTED)";
  if (kind.mode == Mode::counted && is_about_grants(action))
    return "its action is for claims that are granted (KONDUCTOR_MODE_GRANTED)";
  if ((joins || action == Action::wait_for_phase) && kind.wait.open_phase.empty())
    return "its action needs the declaration `wait`, with the phase that it waits for";
  return {};
}

std::string why_not_flags(const CommandDeclaration& command) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < command.flags.size(); ++i) {
    const auto& flag = command.flags[i];
    if (!is_command_word(flag.name)) return item("flags", i, "name") + "\"" + flag.name + "\" is not a lower-case word";
    if (is_host_flag(command.action, flag.name))
      return item("flags", i, "name") + "--" + flag.name + " is the host's own";
    if (!seen.insert(flag.name).second) return item("flags", i, "name") + "--" + flag.name + " is there twice";
    if (!is_dotted_path(flag.path)) return item("flags", i, "path") + "\"" + flag.path + "\" is not a dotted path";
    if (flag.minimum > flag.maximum) return item("flags", i, "minimum") + "is above the maximum";
    if (flag.help.empty()) return item("flags", i, "help") + "is empty";
  }
  for (std::size_t i = 0; i < command.fixed.size(); ++i) {
    const auto& fixed = command.fixed[i];
    if (!is_dotted_path(fixed.path)) return item("fixed", i, "path") + "\"" + fixed.path + "\" is not a dotted path";
    if (!parse_object("{\"value\":" + fixed.json + "}", 4096)) return item("fixed", i, "json") + "is not a JSON value";
  }
  return {};
}

std::string why_not_commands(const KindDeclaration& kind) {
  std::set<std::string> verbs;
  for (const auto& command : kind.commands) {
    const std::string where = "command \"" + command.verb + "\": ";
    if (!is_command_word(command.verb)) return where + "the verb is not a lower-case word";
    if (!verbs.insert(command.verb).second) return where + "the verb is there twice";
    if (command.summary.empty() || command.summary.find('\n') != std::string::npos) {
      return where + "the summary must be one line";
    }
    if (auto why = why_not_action(kind, command.action); !why.empty()) return where + why;
    if (auto why = why_not_flags(command); !why.empty()) return where + why;
  }
  return {};
}

std::string why_not_observed(const KindDeclaration& kind) {
  for (std::size_t i = 0; i < kind.observes.size(); ++i) {
    const auto& [group, plural] = kind.observes[i];
    const auto where = "observes[" + std::to_string(i) + "]: ";
    if (!group.empty() && !is_dns_subdomain(group)) return where + "\"" + group + "\" is no API group";
    if (!is_dns_label(plural)) return where + "\"" + plural + "\" is no plural of a resource";
  }
  return {};
}

std::vector<const Names*> resources(const KindDeclaration& kind) {
  std::vector<const Names*> all = {&kind.names};
  if (kind.mode != runtime::Mode::observed) all.push_back(&kind.claim);
  return all;
}

// Within a group the API server accepts plurals, singulars and short names from one pool, kinds and list kinds from
// another.
std::string shared_name(const Names& a, const Names& b) {
  for (const auto* left : {&a.plural, &a.singular, &a.short_name}) {
    for (const auto* right : {&b.plural, &b.singular, &b.short_name}) {
      if (!left->empty() && *left == *right) return *left;
    }
  }
  if (a.kind == b.kind || a.kind == b.kind + "List") return a.kind;
  return a.kind + "List" == b.kind ? b.kind : std::string{};
}

}  // namespace

std::string why_not_valid(const KindDeclaration& kind) {
  if (auto why = why_not_names(kind.names, "names"); !why.empty()) return why;
  if (kind.description.empty()) return "description: is missing";
  if (auto why = why_not_claim_names(kind); !why.empty()) return why;
  if (kind.mode != runtime::Mode::observed) {
    if (auto name = shared_name(kind.names, kind.claim); !name.empty()) {
      return "claim: shares the name \"" + name + "\" with the primitive";
    }
  }
  if (auto why = why_not_participant(kind); !why.empty()) return why;
  if (auto why = why_not_wait(kind); !why.empty()) return why;
  if (auto why = why_not_valid_schemas(kind); !why.empty()) return why;
  if (auto why = why_not_rules(kind); !why.empty()) return why;
  if (auto why = why_not_columns(kind); !why.empty()) return why;
  if (auto why = why_not_observed(kind); !why.empty()) return why;
  return why_not_commands(kind);
}

std::string why_names_collide(std::span<const KindDeclaration> kinds, const KindDeclaration& added) {
  for (const auto& kind : kinds) {
    for (const auto* mine : resources(added)) {
      for (const auto* theirs : resources(kind)) {
        const auto name = shared_name(*mine, *theirs);
        if (!name.empty()) {
          return "the name \"" + name + "\" of " + mine->kind + " is taken by " + theirs->kind + " of plugin " +
                 kind.plugin_name;
        }
      }
    }
  }
  return {};
}

}  // namespace konductor::host
