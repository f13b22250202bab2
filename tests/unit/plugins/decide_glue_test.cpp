#include <konductor/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace konductor::plugin {
namespace {

konductor_claim make_claim(konductor_claim_state state) {
  konductor_claim claim{};
  claim.struct_size = sizeof(claim);
  claim.state = state;
  return claim;
}

TEST(Claim, tells_its_state_and_takes_an_unknown_one_for_holding) {
  struct Case {
    konductor_claim_state state;
    bool waits, holds, ended, revoking;
  };
  for (const Case& test :
       {Case{KONDUCTOR_WAITING, true, false, false, false}, Case{KONDUCTOR_GRANTED, false, true, false, false},
        Case{KONDUCTOR_REVOKING, false, true, false, true}, Case{KONDUCTOR_ENDED, false, false, true, false},
        Case{0, false, true, false, false}, Case{77, false, true, false, false}}) {
    const konductor_claim raw = make_claim(test.state);
    const Claim claim(raw, 3);
    EXPECT_EQ(claim.waits(), test.waits) << test.state;
    EXPECT_EQ(claim.holds(), test.holds) << test.state;
    EXPECT_EQ(claim.ended(), test.ended) << test.state;
    EXPECT_EQ(claim.revoking(), test.revoking) << test.state;
    EXPECT_EQ(claim.index(), 3U);
  }
}

TEST(Claim, gives_a_field_only_where_it_is_present_and_of_that_type) {
  const konductor_value values[] = {
      {KONDUCTOR_STRING, 1, 0, KONDUCTOR_STR("read")}, {KONDUCTOR_INTEGER, 1, -7, {}}, {KONDUCTOR_BOOLEAN, 1, 1, {}},
      {KONDUCTOR_DURATION, 1, 90'000'000, {}},         {KONDUCTOR_INTEGER, 0, 5, {}},  {KONDUCTOR_STRING, 1, 0, {}}};
  konductor_claim raw = make_claim(KONDUCTOR_WAITING);
  raw.fields = values;
  raw.field_count = std::size(values);
  const Claim claim(raw, 0);
  EXPECT_EQ(claim.string(0), "read");
  EXPECT_EQ(claim.integer(1), -7);
  EXPECT_EQ(claim.boolean(2), true);
  EXPECT_EQ(claim.duration(3), 90'000'000);
  EXPECT_EQ(claim.string(5), "");
  EXPECT_FALSE(claim.integer(4)) << "absent";
  EXPECT_FALSE(claim.integer(0)) << "of another type";
  EXPECT_FALSE(claim.string(1));
  EXPECT_FALSE(claim.integer(6)) << "never declared";
}

TEST(Input, is_a_range_of_its_claims) {
  const konductor_claim first = make_claim(KONDUCTOR_GRANTED);
  const konductor_claim second = make_claim(KONDUCTOR_WAITING);
  const konductor_claim* claims[] = {&first, &second};
  konductor_input raw{};
  raw.struct_size = sizeof(raw);
  raw.claims = claims;
  raw.claim_count = 2;
  raw.spec = KONDUCTOR_STR("{}");
  const Input input(raw);
  std::vector<std::size_t> waiting;
  for (const Claim claim : input) {
    if (claim.waits()) waiting.push_back(claim.index());
  }
  EXPECT_THAT(waiting, testing::ElementsAre(1));
  EXPECT_EQ(input.size(), 2U);
  EXPECT_TRUE(input[0].holds());
  EXPECT_EQ(input.spec(), "{}");
  EXPECT_EQ(input.state(), "") << "absent, with a null pointer";
  EXPECT_EQ(std::count_if(input.begin(), input.end(), [](const Claim& claim) { return claim.holds(); }), 1);
}

struct Calls {
  std::vector<std::string> lines;
};

std::string text(konductor_str value) {
  return std::string(view(value));
}

Calls& calls_of(void* context) {
  return *static_cast<Calls*>(context);
}

konductor_sink recording(Calls& calls) {
  konductor_sink sink{};
  sink.struct_size = sizeof(sink);
  sink.context = &calls;
  sink.verdict = [](void* context, std::size_t index, const konductor_verdict* verdict) noexcept {
    calls_of(context).lines.push_back(std::to_string(verdict->struct_size == sizeof(konductor_verdict)) + " " +
                                      std::to_string(index) + " " + std::to_string(verdict->kind) + " " +
                                      text(verdict->reason) + " " + text(verdict->message) + " " +
                                      std::to_string(verdict->grace));
  };
  sink.state = [](void* context, konductor_str json) noexcept {
    calls_of(context).lines.push_back("state " + text(json));
  };
  sink.status = [](void* context, konductor_str json) noexcept {
    calls_of(context).lines.push_back("status " + text(json));
  };
  sink.condition = [](void* context, konductor_str type, konductor_condition_status status, konductor_str reason,
                      konductor_str message) noexcept {
    calls_of(context).lines.push_back(text(type) + " " + std::to_string(status) + " " + text(reason) + " " +
                                      text(message));
  };
  sink.need = [](void* context, const konductor_need* need) noexcept {
    calls_of(context).lines.push_back("need " + text(need->id) + " " +
                                      std::to_string(need->struct_size == sizeof(*need)));
  };
  sink.look_again_at = [](void* context, std::int64_t time) noexcept {
    calls_of(context).lines.push_back("again " + std::to_string(time));
  };
  sink.event = [](void* context, konductor_event_type type, konductor_str reason, konductor_str message) noexcept {
    calls_of(context).lines.push_back("event " + std::to_string(type) + " " + text(reason) + " " + text(message));
  };
  return sink;
}

Answer use_everything(const Input&, const Sink& sink) {
  sink.grant(0);
  sink.grant_consume(1);
  sink.wait(2, "Later", "not yet");
  sink.deny(3, "Never", "no");
  sink.revoke(4, "Taken", "somebody needs it", 5);
  sink.state("{}");
  sink.status("{\"a\":1}");
  sink.condition("Ready", KONDUCTOR_FALSE, "Broken", "it is");
  konductor_need need{};
  need.id = str("job");
  sink.need(need);
  sink.look_again_at(42);
  sink.event(KONDUCTOR_EVENT_WARNING, "Odd", "look");
  return Answer::decided;
}

TEST(Sink, passes_everything_on) {
  Calls calls;
  const konductor_sink sink = recording(calls);
  const konductor_input input{};
  EXPECT_EQ(guarded<use_everything>(&input, &sink), 0);
  EXPECT_THAT(calls.lines, testing::ElementsAre("1 0 2   0", "1 1 3   0", "1 2 1 Later not yet 0", "1 3 4 Never no 0",
                                                "1 4 5 Taken somebody needs it 5", "state {}", "status {\"a\":1}",
                                                "Ready 0 Broken it is", "need job 1", "again 42", "event 2 Odd look"));
}

Answer refuse(const Input&, const Sink&) {
  return Answer::not_understood;
}
Answer throw_error(const Input&, const Sink&) {
  throw std::runtime_error("no");
}
Answer throw_number(const Input&, const Sink&) {
  throw 0;
}
Answer run_out(const Input&, const Sink&) {
  throw std::bad_alloc();
}

TEST(Guarded, lets_no_exception_out) {
  const konductor_input input{};
  const konductor_sink sink{};
  EXPECT_NE(guarded<refuse>(&input, &sink), 0);
  EXPECT_NE(guarded<throw_error>(&input, &sink), 0);
  EXPECT_NE(guarded<throw_number>(&input, &sink), 0);
  EXPECT_NE(guarded<run_out>(&input, &sink), 0);
}

}  // namespace
}  // namespace konductor::plugin
