#include "kondctl/app.hpp"

#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/colour.hpp"
#include "kondctl/command_line.hpp"
#include "kondctl/command_tree.hpp"
#include "kondctl/completion.hpp"
#include "kondctl/explanation.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <span>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace konductor::kondctl {

namespace {

constexpr const char* version_text = KONDCTL_VERSION;
constexpr std::string_view completion_word = "__complete";
constexpr std::string_view kubectl_completion = "kubectl_complete-";

ExitCode print_version(Format format, Console& console) {
  if (format == Format::json || format == Format::yaml) {
    console.print(to_text({{"version", version_text}}, format));
  } else {
    console.print(std::string("kondctl ") + version_text + "\n");
  }
  return ExitCode::done;
}

std::string variable(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? std::string{} : text;
}

Result<host::PluginRegistry> load(const FirstLook& look) {
  if (!look.needs_plugins) return host::PluginRegistry{};
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folders = host::plugin_folders(look.plugin_dirs, variable("KONDUCTOR_PLUGIN_DIR"), program);
  return host::load_plugins(folders, [] { return io::thread_now(); });
}

ExitCode act(const Invocation& invocation, std::span<const runtime::KindDeclaration> kinds, Console& console,
             runtime::MonoTime started) {
  auto session = Session::open(invocation, console, started);
  if (!session) return report(console, session.error());
  if (invocation.purpose == Invocation::Purpose::overview) return overview(**session, kinds);
  switch (invocation.action) {
    case runtime::Action::acquire: return acquire(**session);
    case runtime::Action::run: return run(**session);
    case runtime::Action::hold: return hold(**session);
    case runtime::Action::renew: return renew(**session);
    case runtime::Action::release: return release(**session);
    case runtime::Action::list: return list(**session);
    case runtime::Action::join: return join(**session);
    case runtime::Action::wait_for_phase: return wait(**session);
    case runtime::Action::create: return create(**session);
    case runtime::Action::set: return set(**session);
    case runtime::Action::delete_: return remove(**session);
    default: return show(**session);
  }
}

ExitCode print_script(const std::string& shell, Console& console) {
  const std::string script = completion_script(shell);
  if (!script.empty()) {
    console.print(script);
    return ExitCode::done;
  }
  console.error("there is no completion for " + kube::quoted(shell) + "; there is for bash, zsh and fish");
  return ExitCode::usage;
}

ExitCode print_explanation(std::span<const runtime::KindDeclaration> kinds, const std::string& path, Console& console) {
  const auto text = explain(kinds, path);
  if (!text) return report(console, text.error());
  console.print(*text);
  return ExitCode::done;
}

// The words behind the program's name, up to the cursor. Whatever fails, there is only nothing to offer.
int complete(std::span<const std::string> words, runtime::MonoTime started, Asker asker) {
  if (!words.empty() && words.front() == completion_word) words = words.subspan(1);
  if (!words.empty() && words.front() == "--") words = words.subspan(1);
  Console console(std::cout, std::cerr, {});
  const auto plugins = load(first_look(words));
  if (!plugins) {
    if (asker == Asker::kubectl) console.print(kubectl_no_files);
    return 0;
  }
  const auto kinds = plugins->kinds();
  return static_cast<int>(offer(CommandTree(kinds).describe(), words, console, started, asker));
}

// What the user typed for us.
std::string typed_name(const std::string& called) {
  constexpr std::string_view plugin = "kubectl-";
  return called.starts_with(plugin) ? "kubectl " + called.substr(plugin.size()) : "kondctl";
}

ExitCode carry_out(Invocation& invocation, const host::PluginRegistry& plugins, Console& console,
                   runtime::MonoTime started) {
  const auto kinds = plugins.kinds();
  switch (invocation.purpose) {
    case Invocation::Purpose::version: return print_version(invocation.global.output, console);
    case Invocation::Purpose::plugin_list: return list_plugins(plugins, invocation.global.output, console);
    case Invocation::Purpose::completion: return print_script(invocation.topic, console);
    case Invocation::Purpose::explain: return print_explanation(kinds, invocation.topic, console);
    case Invocation::Purpose::manual:
      return print_manual(CommandTree(kinds).describe(), invocation, version_text, console);
    case Invocation::Purpose::overview:
    case Invocation::Purpose::action: break;
  }
  return act(invocation, kinds, console, started);
}

}  // namespace

int run(const std::string& program, const std::vector<std::string>& args, runtime::MonoTime started) {
  const std::string called = std::filesystem::path(program).filename();
  if (called.starts_with(kubectl_completion)) return complete(args, started, Asker::kubectl);
  if (!args.empty() && args.front() == completion_word) return complete(args, started, Asker::script);
  Console early(std::cout, std::cerr, {});
  auto plugins = load(first_look(args));
  if (!plugins) return static_cast<int>(report(early, plugins.error()));
  const auto kinds = plugins->kinds();
  CommandLine line = parse_command_line(args, kinds, variable(participant_variable), typed_name(called));
  if (const auto* farewell = std::get_if<Farewell>(&line)) {
    std::cout << farewell->out << std::flush;
    std::cerr << farewell->err << std::flush;
    return static_cast<int>(farewell->code);
  }
  auto& invocation = std::get<Invocation>(line);
  invocation.global.words_on_terminal = isatty(STDERR_FILENO) == 1;
  invocation.global.colours = may_paint(isatty(STDOUT_FILENO) == 1, variable("NO_COLOR"), variable("TERM"));
  Console console(std::cout, std::cerr, invocation.global);
  for (const host::RefusedPlugin& plugin : plugins->refused) {
    console.detail("refused plugin " + plugin.file + ": " + plugin.reason);
  }
  const ExitCode code = carry_out(invocation, *plugins, console, started);
  if (code != ExitCode::done || !console.has_failed()) return static_cast<int>(code);
  console.error("the result could not be written to standard output; what was done stands");
  return static_cast<int>(ExitCode::failed);
}

}  // namespace konductor::kondctl
