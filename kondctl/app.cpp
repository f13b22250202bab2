#include "kondctl/app.hpp"

#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/colour.hpp"
#include "kondctl/command_line.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <span>
#include <system_error>
#include <unistd.h>

namespace konductor::kondctl {

namespace {

constexpr const char* version_text = KONDCTL_VERSION;

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
  return host::load_plugins(folders, [] { return io::mono_now(); });
}

ExitCode act(const Invocation& invocation, std::span<const runtime::KindDeclaration> kinds, Console& console,
             runtime::MonoTime started) {
  auto session = Session::open(invocation, console, started);
  if (!session) return report(console, session.error());
  if (invocation.purpose == Invocation::Purpose::overview) return overview(**session, kinds);
  switch (invocation.action) {
    case runtime::Action::acquire: return acquire(**session);
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

}  // namespace

int run(const std::vector<std::string>& args, runtime::MonoTime started) {
  Console early(std::cout, std::cerr, {});
  auto plugins = load(first_look(args));
  if (!plugins) return static_cast<int>(report(early, plugins.error()));
  const auto kinds = plugins->kinds();
  CommandLine line = parse_command_line(args, kinds, variable(participant_variable));
  if (const auto* farewell = std::get_if<Farewell>(&line)) {
    std::cout << farewell->out << std::flush;
    std::cerr << farewell->err << std::flush;
    return static_cast<int>(farewell->code);
  }
  auto& invocation = std::get<Invocation>(line);
  invocation.global.colours = may_paint(isatty(STDOUT_FILENO) == 1, variable("NO_COLOR"), variable("TERM"));
  Console console(std::cout, std::cerr, invocation.global);
  for (const host::RefusedPlugin& plugin : plugins->refused) {
    console.detail("refused plugin " + plugin.file + ": " + plugin.reason);
  }
  switch (invocation.purpose) {
    case Invocation::Purpose::version: return static_cast<int>(print_version(invocation.global.output, console));
    case Invocation::Purpose::plugin_list:
      return static_cast<int>(list_plugins(*plugins, invocation.global.output, console));
    case Invocation::Purpose::overview:
    case Invocation::Purpose::action: break;
  }
  return static_cast<int>(act(invocation, kinds, console, started));
}

}  // namespace konductor::kondctl
