#include "kondctl/command_tree.hpp"

#include "kondctl/command_line.hpp"
#include "kondctl/suggestion.hpp"
#include "kube/text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace konductor::kondctl {

namespace {

using runtime::Action;
using runtime::CommandDeclaration;
using runtime::KindDeclaration;

constexpr const char* watch_help = "Then show each change, until interrupted";
constexpr const char* timeout_help = "Give up after this time, with exit code 124";

constexpr const char* exit_code_help =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not available now, 4 no such object, 5 refused, 6 the API server "
    "or\n"
    "the operator does not answer, 124 timed out, 125 held and lost, 130 interrupted, 143 terminated.";

// A command that can be typed, and what it then means.
struct Leaf {
  CLI::App* app = nullptr;
  Invocation::Purpose purpose = Invocation::Purpose::action;
  const KindDeclaration* kind = nullptr;
  const CommandDeclaration* command = nullptr;
  Action action = Action::show;
  bool name_optional = false;  // without one: all of the kind
};

const CommandDeclaration* command_for(const KindDeclaration& kind, Action action) {
  for (const CommandDeclaration& command : kind.commands) {
    if (command.action == action) return &command;
  }
  return nullptr;
}

// An option written as `--option=`: CLI11 would take the next argument for its value. Empty: there is none.
std::string without_value(std::span<const std::string> args) {
  const auto end = std::find(args.begin(), args.end(), "--");
  const auto found = std::find_if(args.begin(), end, [](const std::string& arg) {
    return arg.starts_with("--") && arg.find('=') == arg.size() - 1;
  });
  return found == end ? std::string{} : *found;
}

bool is_taken(CLI::App& parent, const std::string& word) {
  return !parent.get_subcommands([&word](CLI::App* command) { return command->check_name(word); }).empty();
}

}  // namespace

class CommandTree::Impl {
 public:
  Impl(std::span<const KindDeclaration> kinds, const std::string& program);
  [[nodiscard]] CommandDescription describe() const;
  std::variant<RawCommandLine, Farewell> parse(std::span<const std::string> args);

 private:
  CLI::App* add_command(CLI::App& parent, const std::string& word, const std::string& help);
  void add_globals();
  void add_host_commands(std::span<const KindDeclaration> kinds);
  void add_kind(const KindDeclaration& kind);
  void add_helping_commands();
  void add_values(CommandDescription& description, const Leaf& leaf) const;
  [[nodiscard]] std::string unknown_flag() const;
  void add_leaf(CLI::App* app, const Leaf& leaf);
  void add_acquire_flags(CLI::App& app, const KindDeclaration& kind);
  void add_run_flags(CLI::App& app);
  void add_hold_flags(CLI::App& app);
  void add_known_claim_flags(CLI::App& app);
  void add_join_flags(CLI::App& app, const KindDeclaration& kind);
  void add_host_flag(CLI::App& app, const std::string& flag, const std::string& placeholder, const std::string& help);
  void add_declared_flags(CLI::App& app, const Leaf& leaf);

  // All leaves write to the same place: only one of them is typed.
  RawCommandLine raw_;
  std::string ignored_;
  CLI::App app_{"Acquires and releases Konductor's synchronization primitives."};
  std::vector<Leaf> leaves_;
  std::map<const CLI::App*, const KindDeclaration*> groups_;  // commands that have those of a kind
};

CommandTree::Impl::Impl(std::span<const KindDeclaration> kinds, const std::string& program) {
  app_.name(program);
  app_.require_subcommand(1);
  app_.footer(exit_code_help);
  add_globals();
  std::set<std::string> taken;
  for (const KindDeclaration& kind : kinds) {
    if (!is_reserved_word(kind.names.singular) && taken.insert(kind.names.singular).second) add_kind(kind);
  }
  add_host_commands(kinds);
  add_helping_commands();
}

CLI::App* CommandTree::Impl::add_command(CLI::App& parent, const std::string& word, const std::string& help) {
  CLI::App* command = parent.add_subcommand(word, help);
  command->fallthrough();  // global flags are understood behind the command too
  return command;
}

void CommandTree::Impl::add_globals() {
  app_.add_option("-n,--namespace", raw_.global.ns, "Namespace of the objects")->type_name("NS");
  app_.add_option("--context", raw_.global.context, "Context of the kubeconfig")->type_name("NAME");
  app_.add_option("--kubeconfig", raw_.global.kubeconfig, "Kubeconfig file")->type_name("FILE");
  app_.add_option("-o,--output", raw_.format, "json, yaml, name, wide or table")->type_name("FORMAT");
  app_.add_flag("-v,--verbose", raw_.global.verbosity, "Say on stderr what is done; twice: more");
  app_.add_flag("-q,--quiet", raw_.global.quiet, "No notes on stderr, only errors");
  app_.add_option("--plugin-dir", ignored_,
                  "Folder of plugins; may be repeated (default: $KONDUCTOR_PLUGIN_DIR, else "
                  "beside the installation)")
      ->type_name("DIR")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void CommandTree::Impl::add_host_commands(std::span<const KindDeclaration> kinds) {
  CLI::App* status = add_command(app_, "status", "Show all objects, those of a kind, or one and its claims");
  status->require_subcommand(0, 1);
  status->add_flag("-A,--all-namespaces", raw_.all_namespaces, "Of all namespaces");
  status->add_flag("-w,--watch", raw_.watch, watch_help);
  for (const KindDeclaration& kind : kinds) {
    if (is_reserved_word(kind.names.singular) || is_taken(*status, kind.names.singular)) continue;
    CLI::App* leaf = add_command(*status, kind.names.singular, kind.names.kind);
    for (const std::string& alias : {kind.names.plural, kind.names.short_name}) {
      if (!alias.empty() && !is_taken(*status, alias)) leaf->alias(alias);
    }
    add_leaf(leaf, {leaf, Invocation::Purpose::action, &kind, command_for(kind, Action::show), Action::show, true});
  }
  leaves_.push_back({status, Invocation::Purpose::overview});  // behind its own commands: the first one parsed counts
  CLI::App* plugin = add_command(app_, "plugin", "What the commands come from");
  plugin->require_subcommand(1);
  CLI::App* list = add_command(*plugin, "list", "Plugins that were loaded, and refused ones with the reason");
  leaves_.push_back({list, Invocation::Purpose::plugin_list});
  leaves_.push_back({add_command(app_, "version", "Print the version"), Invocation::Purpose::version});
}

void CommandTree::Impl::add_helping_commands() {
  CLI::App* completion = add_command(app_, "completion", "Print what a shell reads to complete commands and names");
  completion->add_option("SHELL", raw_.topic, "bash, zsh or fish")->required()->type_name("");
  leaves_.push_back({completion, Invocation::Purpose::completion});
  CLI::App* explain = add_command(app_, "explain", "Explain a kind, or a field as KIND.spec.FIELD; asks no server");
  explain->add_option("KIND", raw_.topic, "The kind, and fields with dots between")->required()->type_name("");
  leaves_.push_back({explain, Invocation::Purpose::explain});
  CLI::App* man = add_command(app_, "man", "Print a manual page, for man -l -");
  man->group("");  // for packages: not in the help
  man->add_option("KIND", raw_.topic, "The kind; without one, the page of kondctl itself")->type_name("");
  man->add_option("--dir", raw_.folder, "Write all pages into this folder")->type_name("DIR");
  leaves_.push_back({man, Invocation::Purpose::manual});
}

void CommandTree::Impl::add_kind(const KindDeclaration& kind) {
  CLI::App* group =
      add_command(app_, kind.names.singular, kind.description.empty() ? kind.names.kind : kind.description);
  for (const std::string& alias : {kind.names.plural, kind.names.short_name}) {
    if (!alias.empty() && !is_reserved_word(alias) && !is_taken(app_, alias)) group->alias(alias);
  }
  group->require_subcommand(1);
  groups_[group] = &kind;
  for (const CommandDeclaration& command : kind.commands) {
    if (!is_usable(kind, command.action) || is_taken(*group, command.verb)) continue;
    CLI::App* leaf = add_command(*group, command.verb, command.summary);
    add_leaf(leaf, {leaf, Invocation::Purpose::action, &kind, &command, command.action});
  }
}

void CommandTree::Impl::add_leaf(CLI::App* app, const Leaf& leaf) {
  leaves_.push_back(leaf);
  // Below `status` it is the parent's flag.
  const bool shows = leaf.action == Action::list || leaf.action == Action::show;
  if (shows && !leaf.name_optional) app->add_flag("-w,--watch", raw_.watch, watch_help);
  if (leaf.action == Action::list) {
    app->add_flag("-A,--all-namespaces", raw_.all_namespaces, "Of all namespaces");
  } else {
    app->add_option("NAME", raw_.name, "Name of the " + leaf.kind->names.singular)
        ->required(!leaf.name_optional)
        ->type_name("");
  }
  const bool acquires = leaf.action == Action::acquire || leaf.action == Action::run || leaf.action == Action::hold;
  if (acquires) add_acquire_flags(*app, *leaf.kind);
  if (leaf.action == Action::run) add_run_flags(*app);
  if (leaf.action == Action::hold) add_hold_flags(*app);
  if (leaf.action == Action::release || leaf.action == Action::renew) add_known_claim_flags(*app);
  if (leaf.action == Action::join) add_join_flags(*app, *leaf.kind);
  if (leaf.action == Action::wait_for_phase) add_host_flag(*app, "timeout", "DURATION", timeout_help);
  if (leaf.command != nullptr) add_declared_flags(*app, leaf);
  const bool writes = leaf.action == Action::create || leaf.action == Action::set;
  if (writes && has_ttl(*leaf.kind) && app->get_option_no_throw("--ttl") == nullptr) {
    add_host_flag(*app, "ttl", "DURATION", "How long its claims live without a renewal, at most, from 1s to 8760h");
  }
}

void CommandTree::Impl::add_acquire_flags(CLI::App& app, const KindDeclaration& kind) {
  app.add_flag("--wait", raw_.wait, "Wait until it is granted; without it, exit with 3 if that can't be at once");
  add_host_flag(app, "timeout", "DURATION",
                "Give up after this time, with exit code 124; without --wait: how long to try for an operator's answer "
                "(default 10s, then exit code 6)");
  add_host_flag(app, "ttl", "DURATION",
                "How long the claim lives without a renewal, from 1s to 8760h; at most what the " +
                    kind.names.singular + " allows");
  add_host_flag(app, "priority", "N", "Higher ones are served first (default 0)");
  add_host_flag(
      app, "holder", "TEXT",
      "Who holds, where that is no Pod: asking again finds the same claim, so each process needs a name of its "
      "own");
  add_host_flag(app, "as", "SLOT", "Tells several claims of one holder apart");
  add_host_flag(app, "conflict-exit-code", "N", "The exit code where it is not available now, in place of 3");
}

void CommandTree::Impl::add_run_flags(CLI::App& app) {
  app.footer(
      "What is behind -- is run while the claim is held: NAME [OPTIONS] -- COMMAND [ARGUMENT...]. The exit code is the "
      "command's own:\n126 where it can't be executed, 127 where it is not found, 128+n where a signal ended it. 125: "
      "the claim was lost, and the command stopped.");
  add_host_flag(app, "stop-grace", "DURATION",
                "From SIGTERM to SIGKILL, where the command must be stopped because the claim is being lost (default "
                "10s; less where the TTL leaves less)");
}

void CommandTree::Impl::add_hold_flags(CLI::App& app) {
  add_host_flag(app, "ready-file", "FILE", "Is there while the claim is held, and at no other time");
  add_host_flag(app, "probe-address", "ADDRESS",
                "Answer HTTP probes there, IP:PORT or :PORT: /readyz is 200 while the claim is held, 503 else");
  add_host_flag(app, "stop-grace", "DURATION",
                "How long before its end a claim that can't be renewed counts as not held (default 10s; less where the "
                "TTL is short)");
  app.add_flag("--keep", raw_.keep, "Told to end, leave the claim to its Pod, or its TTL, in place of giving it back");
}

void CommandTree::Impl::add_known_claim_flags(CLI::App& app) {
  add_host_flag(app, "claim", "CLAIM", "The claim, as `acquire` printed it");
  add_host_flag(app, "holder", "TEXT", "The holder, as given to `acquire`");
  add_host_flag(app, "as", "SLOT", "As given to `acquire`");
  add_host_flag(app, "timeout", "DURATION", "Give up after this time, with exit code 124 (default 30s)");
}

void CommandTree::Impl::add_join_flags(CLI::App& app, const KindDeclaration& kind) {
  const std::string& open = kind.wait.open_phase;
  if (!open.empty()) {
    app.add_flag("--wait", raw_.wait,
                 "Then wait until the " + kind.names.singular + " is " + open +
                     "; until it exists, too. Without it, it is done as soon as the claim is there");
  }
  add_host_flag(app, "timeout", "DURATION",
                std::string(timeout_help) + "; without --wait: how long to try (default 10s, then exit code 6)");
  add_host_flag(app, "holder", "TEXT",
                "Who joins, where that is no Pod: asking again finds the same claim, so each process needs a name of "
                "its own");
}

void CommandTree::Impl::add_host_flag(CLI::App& app, const std::string& flag, const std::string& placeholder,
                                      const std::string& help) {
  app.add_option_function<std::string>(
         "--" + flag, [this, flag](const std::string& text) { raw_.host_flags[flag] = text; }, help)
      ->type_name(placeholder);
}

void CommandTree::Impl::add_declared_flags(CLI::App& app, const Leaf& leaf) {
  const std::string participant = leaf.action == Action::join ? "spec." + leaf.kind->participant_field : std::string{};
  for (const runtime::FlagDeclaration& flag : leaf.command->flags) {
    const std::string name = "--" + flag.name;
    // The host's own flags, and those above, keep their meaning.
    if (app.get_option_no_throw(name) != nullptr || app_.get_option_no_throw(name) != nullptr) continue;
    const auto take = [this, word = flag.name](const std::string& text) { raw_.declared_flags[word] = text; };
    const std::string help = flag.path == participant ? flag.help + "; else $" + participant_variable : flag.help;
    CLI::Option* option = app.add_option_function<std::string>(name, take, help);
    if (flag.type == runtime::ValueType::boolean) option->expected(0, 1)->default_str("true");
    option->type_name(flag.placeholder.empty() ? "VALUE" : flag.placeholder);
    option->required(flag.required);
  }
}

std::variant<RawCommandLine, Farewell> CommandTree::Impl::parse(std::span<const std::string> args) {
  if (const std::string option = without_value(args); !option.empty()) {
    return Farewell{
        ExitCode::usage, {}, "kondctl: " + kube::one_line(option, 200) + " has no value behind the = (see --help)\n"};
  }
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    app_.parse(reversed);
  } catch (const CLI::Success& help) {
    std::ostringstream out;
    std::ostringstream err;
    app_.exit(help, out, err);
    return Farewell{ExitCode::done, out.str(), err.str()};
  } catch (const CLI::ExtrasError& error) {
    const std::string unknown = unknown_flag();
    return Farewell{ExitCode::usage,
                    {},
                    "kondctl: " + (unknown.empty() ? kube::one_line(error.what()) : unknown) + " (see --help)\n"};
  } catch (const CLI::Error& error) {
    return Farewell{ExitCode::usage, {}, "kondctl: " + kube::one_line(error.what()) + " (see --help)\n"};
  }
  for (const Leaf& leaf : leaves_) {
    if (!leaf.app->parsed()) continue;
    raw_.purpose = leaf.purpose;
    raw_.kind = leaf.kind;
    raw_.command = leaf.command;
    raw_.action = leaf.action;
    if (leaf.name_optional && leaf.app->get_option("NAME")->count() == 0) raw_.action = Action::list;
    return raw_;
  }
  return Farewell{ExitCode::usage, {}, "kondctl: a command is missing (see --help)\n"};
}

// An argument that looks like a flag and is none, in our own words; empty where all is known.
std::string CommandTree::Impl::unknown_flag() const {
  const std::vector<std::string> rest = app_.remaining(true);
  const auto found =
      std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return word.starts_with("--"); });
  if (found == rest.end() || found->size() == 2) return {};
  const std::string flag = found->substr(0, found->find('='));
  std::vector<std::string> known;
  for (const CLI::App* at = &app_; at != nullptr;) {
    for (const CLI::Option* option : at->get_options()) {
      std::ranges::transform(option->get_lnames(), std::back_inserter(known),
                             [](const auto& name) { return "--" + name; });
    }
    const std::vector<CLI::App*> next = at->get_subcommands();
    at = next.empty() ? nullptr : next.front();
  }
  return "there is no flag " + kube::quoted(flag) + " here" + did_you_mean(flag, known);
}

CommandDescription CommandTree::Impl::describe() const {
  return kondctl::describe(app_, [this](const CLI::App& app, CommandDescription& description) {
    if (const auto group = groups_.find(&app); group != groups_.end()) description.kind = group->second;
    const auto leaf = std::ranges::find(leaves_, &app, &Leaf::app);
    if (leaf != leaves_.end()) add_values(description, *leaf);
    if (OptionDescription* output = description.option("--output")) {
      output->values = {"json", "yaml", "name", "wide", "table"};
    }
  });
}

void CommandTree::Impl::add_values(CommandDescription& description, const Leaf& leaf) const {
  description.kind = leaf.kind;
  if (leaf.purpose == Invocation::Purpose::completion) description.values = {"bash", "zsh", "fish"};
  if (leaf.purpose == Invocation::Purpose::explain || leaf.purpose == Invocation::Purpose::manual) {
    description.values.reserve(groups_.size());
    for (const auto& [app, kind] : groups_) description.values.push_back(kind->names.singular);
    std::ranges::sort(description.values);
  }
  if (leaf.command == nullptr) return;
  const bool of_primitive = leaf.action == Action::create || leaf.action == Action::set;
  for (const runtime::FlagDeclaration& flag : leaf.command->flags) {
    OptionDescription* option = description.option("--" + flag.name);
    if (option != nullptr)
      option->values = values_of(flag, of_primitive ? leaf.kind->spec_schema : leaf.kind->claim_spec_schema);
  }
}

CommandTree::CommandTree(std::span<const KindDeclaration> kinds, const std::string& program)
    : impl_(std::make_unique<Impl>(kinds, program)) {}
CommandTree::~CommandTree() = default;

std::variant<RawCommandLine, Farewell> CommandTree::parse(std::span<const std::string> args) {
  return impl_->parse(args);
}

CommandDescription CommandTree::describe() const {
  return impl_->describe();
}

}  // namespace konductor::kondctl
