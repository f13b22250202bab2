#include "kondctl/command_line.hpp"

#include "kondctl/command_tree.hpp"
#include "kondctl/flag_value.hpp"
#include "kondctl/suggestion.hpp"
#include "kube/resource.hpp"
#include "kube/text.hpp"
#include "kube/time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <utility>

namespace konductor::kondctl {

namespace {

using runtime::Action;

constexpr IntegerRange ttl_range{std::chrono::microseconds{std::chrono::seconds{1}}.count(),
                                 std::chrono::microseconds{std::chrono::hours{8760}}.count()};
constexpr IntegerRange timeout_range{std::chrono::microseconds{std::chrono::milliseconds{1}}.count(),
                                     std::chrono::microseconds{std::chrono::hours{8760}}.count()};
constexpr IntegerRange priority_range{-1000000, 1000000};
constexpr IntegerRange stop_grace_range{0, std::chrono::microseconds{std::chrono::hours{1}}.count()};
constexpr IntegerRange exit_code_range{0, 255};
constexpr std::size_t longest_holder = 253;
constexpr std::int64_t first_round = 1;

bool takes_value(std::string_view option) {
  constexpr std::array<std::string_view, 8> with_value{"-n",           "--namespace", "--context", "--kubeconfig",
                                                       "--plugin-dir", "-o",          "--output",  "--log-level"};
  return std::find(with_value.begin(), with_value.end(), option) != with_value.end();
}

// The words that are no options, up to `count`: they choose the command.
std::vector<std::string> leading_words(std::span<const std::string> args, std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < args.size() && words.size() < count && args[i] != "--"; ++i) {
    if (takes_value(args[i])) {
      ++i;
    } else if (!args[i].starts_with("-")) {
      words.push_back(args[i]);
    }
  }
  return words;
}

Farewell usage(const std::string& text) {
  return {ExitCode::usage, {}, "kondctl: " + text + "\n"};
}

// Words of the tree that do not exist, in our own sentences; empty where the tree knows them.
std::string unknown_word(std::span<const std::string> args, std::span<const runtime::KindDeclaration> kinds) {
  const std::vector<std::string> words = leading_words(args, 2);
  if (words.empty()) return {};
  std::vector<std::string> singulars;
  for (const runtime::KindDeclaration& kind : kinds) singulars.push_back(kind.names.singular);
  const std::string& first = words.front();
  const bool reserved = is_reserved_word(first);
  const runtime::KindDeclaration* kind = kind_named(kinds, reserved && words.size() > 1 ? words[1] : first);
  const bool wants_kind = !reserved || (first == "status" && words.size() > 1);
  if (wants_kind && kind == nullptr) {
    const std::string& word = reserved ? words[1] : first;
    const std::vector<std::string> firsts = first_words(kinds);
    if (singulars.empty()) {
      return "there is no kind " + kube::quoted(word) + ": no plugin is loaded, `kondctl plugin list` says why";
    }
    return "there is no kind " + kube::quoted(word) + "; the kinds are: " + joined(singulars) +
           did_you_mean(word, reserved ? singulars : firsts);
  }
  if (first == "plugin" && words.size() > 1 && words[1] != "list") {
    return "plugin has no command " + kube::quoted(words[1]) + "; it has: list";
  }
  if (reserved || kind == nullptr) return {};
  const std::vector<std::string> verbs = verbs_of(*kind);
  if (words.size() < 2 || std::find(verbs.begin(), verbs.end(), words[1]) != verbs.end()) return {};
  return kind->names.singular + " has no command " + kube::quoted(words[1]) + "; it has: " + joined(verbs) +
         did_you_mean(words[1], verbs);
}

Result<void> check_format(const std::string& text, Format& format) {
  constexpr std::array<std::pair<std::string_view, Format>, 5> formats{{{"table", Format::table},
                                                                        {"wide", Format::wide},
                                                                        {"json", Format::json},
                                                                        {"yaml", Format::yaml},
                                                                        {"name", Format::name}}};
  for (const auto& [word, value] : formats) {
    if (text == word) {
      format = value;
      return {};
    }
  }
  return Error{Errc::bad_config, "-o must be json, yaml, name, wide or table, not " + kube::quoted(text), 0};
}

Result<void> check_label(const std::string& what, const std::string& text) {
  const std::string why = kube::why_not_dns_label(text);
  if (why.empty()) return {};
  return Error{Errc::bad_config, what + " " + kube::quoted(text) + " is not possible: " + why, 0};
}

Result<void> take_claim_flags(const RawCommandLine& raw, ClaimOptions& claim) {
  claim.wait = raw.wait;
  claim.keep = raw.keep;
  claim.ready_file = raw.text("ready-file");
  claim.probe_address = raw.text("probe-address");
  if (raw.has("timeout")) {
    const auto timeout = parse_duration_flag("timeout", raw.text("timeout"), timeout_range);
    if (!timeout) return timeout.error();
    claim.timeout = *timeout;
  }
  if (raw.has("ttl")) {
    const auto ttl = parse_duration_flag("ttl", raw.text("ttl"), ttl_range);
    if (!ttl) return ttl.error();
    claim.ttl = *ttl;
  }
  if (raw.has("priority")) {
    const auto priority = parse_integer_flag("priority", raw.text("priority"), priority_range);
    if (!priority) return priority.error();
    claim.priority = *priority;
  }
  if (raw.has("holder")) {
    const std::string holder = raw.text("holder");
    if (holder.empty() || holder.size() > longest_holder) {
      return Error{Errc::bad_config, "--holder must have from 1 to 253 characters", 0};
    }
    claim.holder = holder;
  }
  if (raw.has("conflict-exit-code")) {
    const auto code = parse_integer_flag("conflict-exit-code", raw.text("conflict-exit-code"), exit_code_range);
    if (!code) return code.error();
    claim.conflict_exit_code = static_cast<int>(*code);
  }
  if (raw.has("stop-grace")) {
    const auto grace = parse_duration_flag("stop-grace", raw.text("stop-grace"), stop_grace_range);
    if (!grace) return grace.error();
    claim.stop_grace = *grace;
  }
  claim.slot = raw.text("as");
  claim.claim = raw.text("claim");
  return raw.has("claim") ? check_label("the claim", claim.claim) : Result<void>{};
}

bool writes_primitive(Action action) {
  return action == Action::create || action == Action::set;
}

Result<void> take_declared_flags(const RawCommandLine& raw, Invocation& invocation) {
  if (invocation.command == nullptr) return {};
  invocation.fields = invocation.command->fixed;
  for (const runtime::FlagDeclaration& flag : invocation.command->flags) {
    if (!raw.has_declared(flag.name)) continue;
    const auto value = parse_declared_flag(flag, raw.declared(flag.name));
    if (!value) return value.error();
    if (writes_primitive(invocation.action)) {
      invocation.fields.push_back({flag.path, *value});
      continue;
    }
    if (const auto ok = check_length(*invocation.kind, flag, "--" + flag.name, raw.declared(flag.name)); !ok) return ok;
    invocation.fields.push_back({flag.path, *value});
  }
  return {};
}

// What `create` and `set` take beyond the declared flags.
Result<void> take_primitive_flags(Invocation& invocation) {
  if (!writes_primitive(invocation.action)) return {};
  if (invocation.claim.ttl) {
    invocation.fields.push_back({"spec.ttl", kube::quoted(kube::to_string(*invocation.claim.ttl))});
  }
  if (invocation.action == Action::create || !invocation.fields.empty()) return {};
  std::vector<std::string> flags;
  flags.reserve(invocation.command->flags.size() + 1);
  for (const runtime::FlagDeclaration& flag : invocation.command->flags) flags.push_back("--" + flag.name);
  if (has_ttl(*invocation.kind)) flags.emplace_back("--ttl");
  return Error{Errc::bad_config, "nothing to set: give at least one of " + joined(flags), 0};
}

const runtime::FlagDeclaration* flag_of(const Invocation& invocation, const std::string& member) {
  if (invocation.command == nullptr || member.empty()) return nullptr;
  return invocation.command->flag_for("spec." + member);
}

// Who joins, by its flag or else by the environment.
Result<void> take_participant(const RawCommandLine& raw, const std::string& from_environment, Invocation& invocation) {
  const runtime::FlagDeclaration* flag = flag_of(invocation, invocation.kind->participant_field);
  if (invocation.action != Action::join || flag == nullptr) return {};
  invocation.claim.participant_flag = "--" + flag->name;
  if (raw.has_declared(flag->name)) {
    invocation.claim.participant = raw.declared(flag->name);
    if (!invocation.claim.participant.empty()) return {};
    return Error{Errc::bad_config, "--" + flag->name + " must not be empty", 0};
  }
  if (from_environment.empty()) return {};
  const auto value = parse_declared_flag(*flag, from_environment);
  if (!value) return value.error();
  if (const auto ok = check_length(*invocation.kind, *flag, participant_variable, from_environment); !ok) return ok;
  invocation.claim.participant = from_environment;
  invocation.fields.push_back({flag->path, *value});
  return {};
}

Result<void> take_round(const RawCommandLine& raw, Invocation& invocation) {
  const runtime::FlagDeclaration* flag = flag_of(invocation, invocation.kind->wait.round_field);
  if (flag == nullptr || !raw.has_declared(flag->name)) return {};
  const auto round =
      parse_integer_flag(flag->name, raw.declared(flag->name), {std::max(flag->minimum, first_round), flag->maximum});
  if (!round) return round.error();
  invocation.claim.round = *round;
  return {};
}

Result<Invocation> checked(const RawCommandLine& raw, const std::string& participant) {
  Invocation invocation;
  invocation.purpose = raw.purpose;
  invocation.kind = raw.kind;
  invocation.command = raw.command;
  invocation.action = raw.action;
  invocation.name = raw.name;
  invocation.all_namespaces = raw.all_namespaces;
  invocation.watch = raw.watch;
  invocation.global = raw.global;
  invocation.topic = raw.topic;
  invocation.folder = raw.folder;
  if (const auto ok = check_format(raw.format, invocation.global.output); !ok) return ok.error();
  if (!raw.global.ns.empty()) {
    if (const auto ok = check_label("the namespace", raw.global.ns); !ok) return ok.error();
  }
  if (invocation.purpose != Invocation::Purpose::action) return invocation;
  if (invocation.action != Action::list && invocation.all_namespaces) {
    return Error{Errc::bad_config, "an object is of one namespace: -A and a name do not go together", 0};
  }
  if (invocation.action != Action::list) {
    if (const auto ok = check_label("the name", raw.name); !ok) return ok.error();
  }
  if (const auto ok = take_claim_flags(raw, invocation.claim); !ok) return ok.error();
  if (const auto ok = take_declared_flags(raw, invocation); !ok) return ok.error();
  if (const auto ok = take_primitive_flags(invocation); !ok) return ok.error();
  if (const auto ok = take_round(raw, invocation); !ok) return ok.error();
  if (const auto ok = take_participant(raw, participant, invocation); !ok) return ok.error();
  return invocation;
}

// Where the `--` is that the command to run is behind; the end where the verb runs none.
std::size_t words_begin(std::span<const std::string> args, std::span<const runtime::KindDeclaration> kinds) {
  const std::vector<std::string> words = leading_words(args, 2);
  const runtime::KindDeclaration* kind = words.size() < 2 ? nullptr : kind_named(kinds, words[0]);
  if (kind == nullptr) return args.size();
  const bool runs = std::ranges::any_of(kind->commands, [&words](const auto& command) {
    return command.action == Action::run && command.verb == words[1];
  });
  return runs ? static_cast<std::size_t>(std::ranges::find(args, "--") - args.begin()) : args.size();
}

// "-o=json" as kubectl takes it: CLI11 would take "=json" for the value.
std::vector<std::string> with_short_values(std::span<const std::string> args) {
  std::vector<std::string> words(args.begin(), args.end());
  for (std::string& word : words) {
    if (word == "--") break;
    if (word.starts_with("-o=") || word.starts_with("-n=")) word.erase(2, 1);
  }
  return words;
}

}  // namespace

FirstLook first_look(std::span<const std::string> args) {
  constexpr std::string_view flag = "--plugin-dir";
  FirstLook look;
  for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    if (args[i] == flag && i + 1 < args.size()) look.plugin_dirs.push_back(args[++i]);
    if (args[i].starts_with(std::string(flag) + "=")) look.plugin_dirs.push_back(args[i].substr(flag.size() + 1));
  }
  const std::vector<std::string> words = leading_words(args, 1);
  look.needs_plugins = words.empty() || words.front() != "version";
  return look;
}

CommandLine parse_command_line(std::span<const std::string> args, std::span<const runtime::KindDeclaration> kinds,
                               const std::string& participant, const std::string& program) {
  if (const std::string unknown = unknown_word(args, kinds); !unknown.empty()) return usage(unknown);
  CommandTree tree(kinds, program);
  const std::size_t end = words_begin(args, kinds);
  auto raw = tree.parse(with_short_values(args.first(end)));
  if (const auto* farewell = std::get_if<Farewell>(&raw)) return *farewell;
  auto invocation = checked(std::get<RawCommandLine>(raw), participant);
  if (!invocation) return usage(invocation.error().detail);
  if (invocation->purpose != Invocation::Purpose::action || invocation->action != Action::run) return *invocation;
  if (end < args.size()) invocation->words.assign(args.begin() + static_cast<std::ptrdiff_t>(end) + 1, args.end());
  if (invocation->words.empty() || invocation->words.front().empty()) {
    return usage("say behind -- what to run: kondctl " + invocation->kind->names.singular + " " +
                 invocation->command->verb + " " + invocation->name + " -- COMMAND ARGUMENT...");
  }
  return *invocation;
}

bool has_action(Action action) noexcept {
  switch (action) {
    case Action::acquire:
    case Action::run:
    case Action::hold:
    case Action::renew:
    case Action::release:
    case Action::show:
    case Action::list:
    case Action::join:
    case Action::wait_for_phase:
    case Action::create:
    case Action::set:
    case Action::delete_: return true;
    default: return false;
  }
}

}  // namespace konductor::kondctl
