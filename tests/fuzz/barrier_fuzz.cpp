#include "barrier/codec.hpp"
#include "barrier/decide.hpp"
#include "fuzz/fuzz.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

using namespace konductor;
using fuzz::expect;

/// The spec and the state of a barrier, the present, and its arrivals, each a line "PARTICIPANT CREATED ROUND": what is
/// understood is decided once, and what is committed can be read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(fuzz::text_of(data, size));
  const auto spec_text = lines.next();
  const auto state_text = lines.next();
  const auto spec = barrier::parse_spec(spec_text);
  const auto state = barrier::parse_state(state_text);
  const std::int64_t now = std::strtoll(std::string(lines.next()).c_str(), nullptr, 10);
  if (!spec || !state) return 0;
  if (!nlohmann::json::accept(state_text)) return 0;  // no UTF-8: the host never gives such a one
  expect(barrier::parse_state(barrier::to_json(*state)) == *state,
         "a state that was read is written so that it can be read");

  std::vector<std::vector<std::string>> words;
  while (!lines.done() && words.size() < 64) words.push_back(fuzz::split(std::string(lines.next()), ' '));
  std::vector<barrier::ArrivalIn> arrivals;
  for (auto& word : words) {
    word.resize(3);
    barrier::ArrivalIn arrival{
        .participant = word[0], .created = std::strtoll(word[1].c_str(), nullptr, 10), .round = {}};
    if (!word[2].empty()) arrival.round = std::strtoll(word[2].c_str(), nullptr, 10);
    arrival.created = std::max<std::int64_t>(0, std::min<std::int64_t>(arrival.created, 1'000'000'000'000'000'000));
    arrivals.push_back(arrival);
  }

  const auto decision = barrier::decide(*spec, *state, arrivals, now);
  expect(barrier::parse_state(barrier::to_json(decision.state)) == decision.state,
         "what is committed can be read again");
  expect(nlohmann::json::accept(barrier::status_json(decision.state, decision.stands, decision.deadline)),
         "a status is JSON");
  expect(decision.state.opened - state->opened == (decision.opened.empty() ? 0 : 1),
         "at most one round opens, and it is said");
  const bool final =
      state->phase() == barrier::Phase::failed || (state->phase() == barrier::Phase::open && !spec->reusable);
  expect(!final || decision.state == *state, "what was decided stays");
  if (decision.opened.empty()) {
    expect(barrier::decide(*spec, decision.state, arrivals, now).state == decision.state, "no write leads to another");
  }
  return 0;
}
