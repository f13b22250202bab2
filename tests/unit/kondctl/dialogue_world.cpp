#include "dialogue_world.hpp"

#include <utility>

namespace konductor::kondctl::test {

json status_of(int code, const std::string& reason, const std::string& message, const std::string& name) {
  return {{"kind", "Status"}, {"status", "Failure"}, {"code", code},
          {"reason", reason}, {"message", message},  {"details", {{"name", name}}}};
}

kube::Response answer(int status, const json& body) {
  return {.status = status, .body = body.dump(), .retry_after_s = 0, .date = {}};
}

json not_found(const std::string& what) {
  return status_of(404, "NotFound", what + " not found");
}

bool fits(const json& preconditions, const json& object) {
  const json& meta = object["metadata"];
  return preconditions.value("uid", "") == meta["uid"].get<std::string>() &&
         (!preconditions.contains("resourceVersion") || preconditions["resourceVersion"] == meta["resourceVersion"]);
}

void DialogueWorld::converse() {
  tell(Woken{});
  const MonoTime end = start + std::chrono::hours{24};
  while (!over_ && now_ < end) {
    const bool wake_first = wake_at_ && (agenda_.empty() || *wake_at_ <= agenda_.begin()->first);
    if (wake_first) {
      now_ = std::max(now_, *std::exchange(wake_at_, std::nullopt));
      tell(Woken{});
    } else if (!agenda_.empty()) {
      auto next = agenda_.extract(agenda_.begin());
      now_ = std::max(now_, next.key());
      next.mapped()();
    } else {
      break;
    }
  }
}

void DialogueWorld::tell(const DialogueEvent& event) {
  if (over_) return;
  DialogueStep step;
  over_ = !resume(event, {now_, clock_stands ? epoch : epoch + (now_ - start)}, step);
  wake_at_ = step.wake_at;
  notes.insert(notes.end(), step.notes.begin(), step.notes.end());
  if (step.watch) {
    watched.push_back(step.watch->request.target);
    start_watch(*step.watch);
  }
  for (const DialogueStep::Sending& sending : step.send) serve(sending);
}

void DialogueWorld::serve(const DialogueStep::Sending& sending) {
  sent.push_back(words_for(sending.request));
  bodies.push_back(json::parse(sending.request.body, nullptr, false));
  const int number = requests_++;
  const auto fault = faults.find(number);
  const Fault what = fault == faults.end() ? Fault::none : fault->second;
  const std::uint64_t id = sending.id;
  if (unreachable || what == Fault::request_lost) {
    return after(sending.time,
                 [this, id] { tell(Answered{id, Error{Errc::timeout, "no answer from https://example.test", 0}}); });
  }
  after(hop, [this, id, what, number, request = sending.request] {
    Result<kube::Response> got = answer_to(number, request);
    if (what == Fault::answer_lost) got = Error{Errc::unavailable, "the connection was cut", 0};
    after(hop, [this, id, got] { tell(Answered{id, got}); });
  });
}

Result<kube::Response> DialogueWorld::answer_to(int number, const kube::Request& request) {
  if (const auto own = answers.find(number); own != answers.end()) {
    return answer(own->second["code"].get<int>(), own->second);
  }
  for (const std::string& word : {std::string(to_string(request.method)), words_for(request)}) {
    const auto refusal = refusals.find(word);
    if (refusal != refusals.end()) return answer(refusal->second["code"].get<int>(), refusal->second);
  }
  return execute(request);
}

}  // namespace konductor::kondctl::test
