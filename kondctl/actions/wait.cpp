#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/waiting.hpp"
#include "kondctl/dialogue_driver.hpp"

#include <nlohmann/json.hpp>

namespace konductor::kondctl {

ExitCode wait(Session& session) {
  const WaitWish wish = wish_to_wait(session);
  const WaitOutcome outcome = drive(session, WaitMachine(wish, dialogue_settings(session), session.started));
  if (!outcome.message.empty()) session.console.error(outcome.message);
  if (outcome.code != ExitCode::done) return outcome.code;
  const Format format = session.invocation.global.output;
  if (format == Format::json || format == Format::yaml) {
    session.console.print(to_text(ending_as_json(wish, outcome), format));
  } else if (format == Format::name) {
    session.console.print(resource_line(wish.kind->names.singular, wish.primitive.name));
  } else {
    session.console.print(ending(wish, outcome) + "\n");
  }
  return outcome.code;
}

}  // namespace konductor::kondctl
