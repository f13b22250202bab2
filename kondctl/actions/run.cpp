#include "io/group_guard.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/command_run.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::kondctl {

ExitCode run(Session& session) {
  const auto place = place_claim(session);
  if (!place) return report(session.console, place.error());
  auto guard = io::GroupGuard::start();
  if (!guard) return report(session.console, guard.error());
  RunSettings settings;
  settings.stop_grace = session.invocation.claim.stop_grace.value_or(settings.stop_grace);
  CommandRun command(session, wish_for(session, *place), settings, std::move(*guard));
  const int code = command.run(claim_settings(session));
  return command.was_granted() ? static_cast<ExitCode>(code) : code_of(session, static_cast<ExitCode>(code));
}

}  // namespace konductor::kondctl
