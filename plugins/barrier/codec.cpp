#include "barrier/codec.hpp"

#include <konductor/duration.hpp>
#include <konductor/json.hpp>
#include <konductor/time.hpp>

namespace konductor::barrier {
namespace {

using plugin::JsonObject;
using plugin::JsonWriter;

constexpr std::int64_t latest = 1'000'000'000'000'000'000;  // of a time, so that a timeout can be added

// The readers of members are false where one is there and cannot be understood: that is not the same as absent.

bool read_quorum(const JsonObject& object, Spec& spec) {
  if (!object.raw("quorum").empty()) {
    spec.quorum = object.integer("quorum");
    if (!spec.quorum || *spec.quorum < 1 || *spec.quorum > spec.expected) return false;
  }
  if (object.raw("quorumPolicy").empty()) return true;
  const auto policy = object.string("quorumPolicy");
  spec.at_timeout = policy == "AtTimeout";
  return spec.at_timeout ? spec.quorum && spec.timeout : policy == "Immediate";
}

bool read_timeout(const JsonObject& object, Spec& spec) {
  if (object.raw("timeout").empty()) return true;
  spec.timeout_text = object.string("timeout").value_or("");
  spec.timeout = plugin::parse_duration(spec.timeout_text);
  return spec.timeout && *spec.timeout >= shortest_timeout && *spec.timeout <= longest_timeout;
}

bool read_reusable(const JsonObject& object, Spec& spec) {
  const auto reusable = object.boolean("reusable");
  spec.reusable = reusable.value_or(false);
  return reusable || object.raw("reusable").empty();
}

bool read_verdict(const JsonObject& object, State& state) {
  if (object.raw("reason").empty()) return true;
  const auto arrived = object.integer("arrived");
  const auto expected = object.integer("expected");
  const auto reason = object.string("reason");
  if (!arrived || !expected || !reason) return false;
  state.verdict = {*arrived, *expected, *reason, object.string("message").value_or(""),
                   object.string("missing").value_or("")};
  return true;
}

bool read_time(const JsonObject& object, const char* name, std::optional<std::int64_t>& time) {
  time = object.integer(name);
  return time ? *time >= 0 && *time <= latest : object.raw(name).empty();
}

}  // namespace

std::optional<Spec> parse_spec(std::string_view json) {
  const auto object = JsonObject::parse(json);
  const auto expected = object ? object->integer("expected") : std::nullopt;
  if (!expected || *expected < 1 || *expected > most_expected) return std::nullopt;
  Spec spec;
  spec.expected = *expected;
  if (!read_timeout(*object, spec) || !read_quorum(*object, spec) || !read_reusable(*object, spec)) return std::nullopt;
  return spec;
}

std::optional<State> parse_state(std::string_view json) {
  const auto object = JsonObject::parse(json);
  if (!object) return std::nullopt;
  State state;
  if (object->raw("round").empty()) return state;  // nothing was decided yet
  state.round = object->integer("round").value_or(0);
  state.opened = object->integer("opened").value_or(-1);
  if (state.round < 1 || state.round > most_round) return std::nullopt;
  if (!read_time(*object, "first", state.first) || !read_time(*object, "since", state.since)) return std::nullopt;
  if (!read_verdict(*object, state)) return std::nullopt;
  const bool failed = object->boolean("failed").value_or(false);
  const std::int64_t opened = state.verdict && !failed ? state.round : state.round - 1;
  if (state.opened != opened || (failed && !state.verdict)) return std::nullopt;
  return state;
}

std::string to_json(const State& state) {
  JsonWriter writer;
  writer.integer("round", state.round).integer("opened", state.opened);
  if (state.first) writer.integer("first", *state.first);
  if (state.since) writer.integer("since", *state.since);
  if (!state.verdict) return writer.text();
  if (state.phase() == Phase::failed) writer.boolean("failed", true);
  writer.integer("arrived", state.verdict->arrived).integer("expected", state.verdict->expected);
  writer.string("reason", state.verdict->reason).string("message", state.verdict->message);
  if (!state.verdict->missing.empty()) writer.string("missing", state.verdict->missing);
  return writer.text();
}

std::string status_json(const State& state, const Standing& stands, std::optional<std::int64_t> deadline) {
  const auto or_null = [](const std::string& text) { return text.empty() ? "null" : JsonWriter::quoted(text); };
  return JsonWriter()
      .string("phase", to_string(state.phase()))
      .integer("arrived", stands.arrived)
      .string("progress", std::to_string(stands.arrived) + "/" + std::to_string(stands.expected))
      .integer("round", state.round)
      .integer("openedRound", state.opened)
      .json("deadline", or_null(deadline ? plugin::time_text(*deadline) : ""))
      .json("missing", or_null(stands.missing))
      .text();
}

std::string_view to_string(Phase phase) {
  constexpr std::string_view words[] = {"Waiting", "Open", "Failed"};
  return words[static_cast<std::size_t>(phase)];
}

}  // namespace konductor::barrier
