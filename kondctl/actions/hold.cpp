#include "kondctl/actions/actions.hpp"
#include "kondctl/hold_run.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::kondctl {

ExitCode hold(Session& session) {
  const auto place = place_claim(session);
  if (!place) return report(session.console, place.error());
  const ClaimOptions& asked = session.invocation.claim;
  HoldOptions options;
  options.ready_file = asked.ready_file;
  options.probe_address = asked.probe_address;
  options.stop_grace = asked.stop_grace.value_or(options.stop_grace);
  options.keep = asked.keep;
  HoldRun holding(session, wish_for(session, *place), std::move(options),
                  [&](const ClaimOutcome::Grant& grant) { print_grant(session, *place, grant); });
  const auto code = static_cast<ExitCode>(holding.run(claim_settings(session)));
  return holding.was_granted() ? code : code_of(session, code);
}

}  // namespace konductor::kondctl
