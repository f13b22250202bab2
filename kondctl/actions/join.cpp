#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/waiting.hpp"
#include "kondctl/claim_name.hpp"
#include "kondctl/dialogue_driver.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::kondctl {

namespace {

constexpr std::size_t longest_participant = 60;  // as shown

// The same participant is the same claim, from wherever it comes; one that is not named is its Pod, or its holder.
ClaimKey key_of(const Session& session, const Identity& identity, const WaitWish& wish) {
  const std::string& participant = session.invocation.claim.participant;
  const std::string round = wish.round ? std::to_string(*wish.round) : std::string{};
  if (!participant.empty()) return {"participant/" + participant, wish.primitive, round};
  if (identity.lasting) return {identity.key, wish.primitive, round};
  return {identity.key, wish.primitive, identity.slot + "/" + round};
}

WaitWish wish_to_join(const Session& session, const Identity& identity) {
  WaitWish wish = wish_to_wait(session);
  wish.wait = session.invocation.claim.wait;
  ClaimWish claim;
  claim.kind = wish.kind;
  claim.primitive = wish.primitive;
  claim.claim = {wish.primitive.ns, claim_name(key_of(session, identity, wish))};
  claim.pod = identity.pod;
  claim.holder = identity.holder;
  claim.fields = session.invocation.fields;
  wish.join = std::move(claim);
  return wish;
}

nlohmann::json describe(const Session& session, const WaitWish& wish, const WaitOutcome& outcome) {
  nlohmann::json facts = ending_as_json(wish, outcome);
  facts["holder"] = wish.join->holder;
  const std::string& participant = session.invocation.claim.participant;
  if (!participant.empty()) facts["participant"] = participant;
  if (outcome.joined) {
    facts["claim"] = wish.join->claim.name;
    facts["uid"] = outcome.joined->uid;
    facts["adopted"] = outcome.joined->adopted;
  }
  return facts;
}

std::string sentence(const Session& session, const WaitWish& wish, const WaitOutcome& outcome) {
  if (!outcome.joined) return ending(wish, outcome) + "; nothing was created\n";
  const std::string subject = subject_of(wish);
  std::string text = (outcome.joined->adopted ? "had joined " + subject + " before" : "joined " + subject) +
                     ": claim " + wish.join->claim.name;
  const std::string& participant = session.invocation.claim.participant;
  if (!participant.empty()) text += ", participant " + kube::one_line(participant, longest_participant);
  if (wish.round) text += ", round " + std::to_string(*wish.round);
  return text + (outcome.served ? "; " + ending(wish, outcome) : std::string{}) + "\n";
}

void print_joined(Session& session, const WaitWish& wish, const WaitOutcome& outcome) {
  const Format format = session.invocation.global.output;
  if (format == Format::json || format == Format::yaml) {
    session.console.print(to_text(describe(session, wish, outcome), format));
  } else if (format == Format::name) {
    const bool there = outcome.joined.has_value();
    session.console.print(resource_line(there ? wish.kind->claim.singular : wish.kind->names.singular,
                                        there ? wish.join->claim.name : wish.primitive.name));
  } else {
    session.console.print(sentence(session, wish, outcome));
  }
}

}  // namespace

ExitCode join(Session& session) {
  const auto identity = identity_for(session);
  if (!identity) return report(session.console, identity.error());
  const WaitWish wish = wish_to_join(session, *identity);
  const WaitOutcome outcome = drive(session, WaitMachine(wish, dialogue_settings(session), session.started));
  if (!outcome.message.empty()) session.console.error(outcome.message);
  if (outcome.code == ExitCode::done) print_joined(session, wish, outcome);
  if (outcome.joined && !identity->lasting && session.invocation.claim.participant.empty()) {
    session.console.note("not in a Pod, and not named: the same command counts once more; --holder TEXT" +
                         (session.invocation.claim.participant_flag.empty()
                              ? std::string{}
                              : " or " + session.invocation.claim.participant_flag + " TEXT") +
                         " makes it the same again");
  }
  return outcome.code;
}

}  // namespace konductor::kondctl
