#include "fuzz/fuzz.hpp"
#include "host/json_text.hpp"
#include "host/sink.hpp"
#include "host/words.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace konductor;
using fuzz::expect;

konductor_str str(const std::string& text) {
  return {text.data(), text.size()};
}

/// A call as a line: a letter that names it, then its arguments, separated by '|'.
void call(host::Sink& sink, std::string_view line) {
  std::vector<std::string> words = fuzz::split(line.empty() ? line : line.substr(1), '|');
  words.resize(8);
  const auto number = [&](std::size_t i) {
    return static_cast<std::int64_t>(std::strtoll(words[i].c_str(), nullptr, 10));
  };
  const auto small = [&](std::size_t i) { return static_cast<int>(number(i) % 100); };
  switch (line.empty() ? ' ' : line.front()) {
    case 'v': {
      konductor_verdict verdict{};
      verdict.struct_size = sizeof(verdict);
      verdict.kind = static_cast<konductor_verdict_kind>(small(1));
      verdict.reason = str(words[2]);
      verdict.message = str(words[3]);
      verdict.grace = number(4);
      return sink.verdict(static_cast<std::size_t>(number(0)), &verdict);
    }
    case 's': return sink.state(str(words[0]));
    case 'S': return sink.status(str(words[0]));
    case 'c':
      return sink.condition(str(words[0]), static_cast<konductor_condition_status>(small(1)), str(words[2]),
                            str(words[3]));
    case 'n': {
      const std::vector<konductor_str> fields = {str(words[6]), str(words[7])};
      konductor_need need{};
      need.struct_size = sizeof(need);
      need.id = str(words[0]);
      need.group = str(words[1]);
      need.version = str(words[2]);
      need.plural = str(words[3]);
      need.object_name = str(words[4]);
      need.label_selector = str(words[5]);
      need.fields = fields.data();
      need.field_count = words[6].empty() ? 0 : fields.size();
      return sink.need(&need);
    }
    case 'l': return sink.look_again_at(number(0));
    case 'e': return sink.event(static_cast<konductor_event_type>(small(0)), str(words[1]), str(words[2]));
    default: return;
  }
}

void check_words(const std::string& text, std::size_t longest) {
  expect(text.size() <= longest && host::is_text(text), "text is UTF-8 and bounded");
}

void check_plan(const runtime::Plan& plan, const runtime::Observation& observation) {
  std::set<std::size_t> judged;
  std::size_t grants = 0;
  for (const auto& verdict : plan.verdicts) {
    expect(verdict.claim < observation.claims.size() && judged.insert(verdict.claim).second, "one verdict on a claim");
    expect(verdict.reason.empty() || host::is_reason_word(verdict.reason), "a reason is a word");
    expect(verdict.grace >= 0, "a grace is not negative");
    check_words(verdict.message, 1024);
    const bool grant =
        verdict.kind == runtime::VerdictKind::grant || verdict.kind == runtime::VerdictKind::grant_consume;
    expect(!grant || observation.claims[verdict.claim].state == runtime::ClaimState::waiting,
           "only who waits is granted");
    grants += grant ? 1 : 0;
  }
  expect(grants <= observation.max_grants, "no more grants than the round has");
  for (const auto* json : {&plan.state, &plan.status}) {
    expect(!*json || (host::parse_object(**json, std::size_t{64} << 10U)), "state and status are objects");
  }
  std::set<std::string> types;
  for (const auto& condition : plan.conditions) {
    expect(host::is_reason_word(condition.type) && types.insert(condition.type).second, "one condition of a type");
    check_words(condition.message, 1024);
  }
  expect(plan.conditions.size() <= 64 && plan.needs.size() <= 64 && plan.events.size() <= 64, "lists are bounded");
  expect(!plan.look_again_at || *plan.look_again_at > 0, "a time is one");
}

}  // namespace

/// What a plugin says in one decide.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<runtime::ClaimFacts> claims(4);
  claims[0].state = runtime::ClaimState::granted;
  claims[3].state = runtime::ClaimState::revoking;
  for (auto& claim : claims) claim.key = "team-a/worker";
  runtime::Observation observation;
  observation.claims = claims;
  observation.max_grants = 1;
  observation.now = 1'700'000'000'000'000;
  for (const auto mode : {runtime::Mode::granted, runtime::Mode::counted}) {
    host::Sink sink(mode);
    sink.begin(observation);
    for (const std::string& line : fuzz::split(fuzz::text_of(data, size))) call(sink, line);
    // A breach ends up in conditions and in the log.
    expect(sink.breach().size() <= 4096, "a breach is bounded");
    expect(kube::visible(sink.breach()) == sink.breach(), "a breach can be shown on a terminal");
    if (sink.breach().empty()) check_plan(sink.take_plan(), observation);
  }
  return 0;
}
