#include "kondctl/actions/waiting.hpp"

#include <nlohmann/json.hpp>

namespace konductor::kondctl {

WaitWish wish_to_wait(const Session& session) {
  const Invocation& invocation = session.invocation;
  WaitWish wish;
  wish.kind = invocation.kind;
  wish.primitive = {session.ns(), invocation.name};
  wish.round = invocation.claim.round;
  wish.round_flag = "--round";
  if (invocation.command == nullptr) return wish;
  if (const auto* flag = invocation.command->flag_for("spec." + wish.kind->wait.round_field))
    wish.round_flag = "--" + flag->name;
  return wish;
}

std::string ending(const WaitWish& wish, const WaitOutcome& outcome) {
  const std::string subject = subject_of(wish);
  if (wish.round) return subject + " has served round " + std::to_string(*wish.round);
  return subject + " is " + outcome.phase + (outcome.words.empty() ? "" : ": " + outcome.words);
}

nlohmann::json ending_as_json(const WaitWish& wish, const WaitOutcome& outcome) {
  nlohmann::json facts = {{"kind", wish.kind->names.kind},  {"name", wish.primitive.name},
                          {"namespace", wish.primitive.ns}, {"phase", outcome.phase},
                          {"served", outcome.served},       {"message", outcome.words}};
  if (wish.round) facts["round"] = *wish.round;
  return facts;
}

}  // namespace konductor::kondctl
