#include "host/sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::host {
namespace {

using runtime::ClaimState;
using ::testing::HasSubstr;

konductor_str str(std::string_view text) {
  return {text.data(), text.size()};
}

konductor_verdict verdict_of(konductor_verdict_kind kind, std::string_view reason = {}, std::string_view message = {},
                             std::int64_t grace = 0) {
  return {sizeof(konductor_verdict), kind, str(reason), str(message), grace};
}

/// Speaks through the C struct, as a plugin does. Claims: 0 and 1 wait, 2 is granted, 3 revoking, 4 ended.
class Plugin {
 public:
  explicit Plugin(runtime::Mode mode = runtime::Mode::granted) : sink_(mode) {
    int number = 0;
    for (auto state :
         {ClaimState::waiting, ClaimState::waiting, ClaimState::granted, ClaimState::revoking, ClaimState::ended}) {
      keys_[static_cast<std::size_t>(number)] = "home/" + std::to_string(number);
      runtime::ClaimFacts claim;
      claim.state = state;
      claim.key = keys_[static_cast<std::size_t>(number++)];
      claims_.push_back(claim);
    }
    observation_.claims = claims_;
    observation_.max_grants = 1;
    observation_.now = 1'000'000;
    sink_.begin(observation_);
  }
  void verdict(std::size_t index, konductor_verdict given) { c().verdict(c().context, index, &given); }
  void null_verdict() { c().verdict(c().context, 0, nullptr); }
  void state(std::string_view json) { c().state(c().context, str(json)); }
  void raw_state(konductor_str json) { c().state(c().context, json); }
  void status(std::string_view json) { c().status(c().context, str(json)); }
  void condition(std::string_view type, konductor_condition_status status, std::string_view reason,
                 std::string_view message = "so it is") {
    c().condition(c().context, str(type), status, str(reason), str(message));
  }
  void need(konductor_need need) { c().need(c().context, &need); }
  void look_again_at(std::int64_t time) { c().look_again_at(c().context, time); }
  void event(konductor_event_type type, std::string_view reason) {
    c().event(c().context, type, str(reason), str("hm"));
  }

  const std::string& breach() { return sink_.breach(); }
  runtime::Plan plan() { return sink_.take_plan(); }

 private:
  const konductor_sink& c() { return sink_.c_sink(); }

  std::array<std::string, 5> keys_;
  std::vector<runtime::ClaimFacts> claims_;
  runtime::Observation observation_;
  Sink sink_;
};

konductor_need pods_of(std::string_view id, std::string_view name, std::string_view selector) {
  static const konductor_str fields[] = {KONDUCTOR_STR("status.phase")};
  konductor_need need = {};
  need.struct_size = sizeof(need);
  need.id = str(id);
  need.group = str("batch");
  need.version = str("v1");
  need.plural = str("jobs");
  need.object_name = str(name);
  need.label_selector = str(selector);
  need.fields = fields;
  need.field_count = 1;
  return need;
}

TEST(Sink, copies_all_that_a_decision_says) {
  Plugin plugin;
  {
    std::string reason = "Full", message = "three of three are in use";
    plugin.verdict(1, verdict_of(KONDUCTOR_WAIT, reason, message));
    reason.assign(4, '!');
    message.assign(25, '!');
  }
  plugin.verdict(0, verdict_of(KONDUCTOR_GRANT));
  plugin.verdict(2, verdict_of(KONDUCTOR_REVOKE, "Preempted", "", 30));
  plugin.state(R"({"level": 3})");
  plugin.status(R"({"phase": "Lit"})");
  plugin.condition("Ready", KONDUCTOR_TRUE, "Lit");
  plugin.need(pods_of("n", "loader", ""));
  plugin.look_again_at(9'000'000);
  plugin.look_again_at(5'000'000);
  plugin.event(KONDUCTOR_EVENT_WARNING, "Flicker");
  ASSERT_EQ(plugin.breach(), "");
  const auto plan = plugin.plan();
  ASSERT_EQ(plan.verdicts.size(), 3U);
  EXPECT_EQ(plan.verdicts[0].reason, "Full");
  EXPECT_EQ(plan.verdicts[0].message, "three of three are in use");
  EXPECT_EQ(plan.verdicts[1].kind, runtime::VerdictKind::grant);
  EXPECT_EQ(plan.verdicts[2].grace, 30);
  EXPECT_EQ(plan.state, R"({"level": 3})");
  EXPECT_EQ(plan.status, R"({"phase": "Lit"})");
  ASSERT_EQ(plan.conditions.size(), 1U);
  EXPECT_EQ(plan.conditions[0].status, runtime::ConditionStatus::true_);
  ASSERT_EQ(plan.needs.size(), 1U);
  EXPECT_EQ(plan.needs[0].fields, std::vector<std::string>{"status.phase"});
  EXPECT_EQ(plan.look_again_at, 5'000'000);
  ASSERT_EQ(plan.events.size(), 1U);
  EXPECT_TRUE(plan.events[0].warning);
}

TEST(Sink, reads_verdicts_of_older_and_newer_plugins_by_their_size) {
  Plugin older;
  auto verdict = verdict_of(KONDUCTOR_WAIT, "Full", "", -1);
  verdict.struct_size = offsetof(konductor_verdict, message);  // neither message nor grace
  older.verdict(0, verdict);
  EXPECT_EQ(older.breach(), "");
  EXPECT_EQ(older.plan().verdicts.at(0).reason, "Full");
}

TEST(Sink, cuts_long_messages_between_characters) {
  Plugin plugin;
  std::string message(1023, 'x');
  message += "\xC3\xA9";
  plugin.verdict(0, verdict_of(KONDUCTOR_WAIT, "Full", message));
  EXPECT_EQ(plugin.breach(), "");
  EXPECT_EQ(plugin.plan().verdicts.at(0).message, std::string(1023, 'x'));
}

TEST(Sink, bounds_the_next_look_to_what_the_host_can_count) {
  Plugin plugin;
  plugin.look_again_at(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(plugin.breach(), "");
  EXPECT_EQ(plugin.plan().look_again_at, 1'000'000 + 366LL * 24 * 3600 * 1'000'000);
}

TEST(Sink, lets_a_revoke_be_repeated) {
  Plugin plugin;
  plugin.verdict(3, verdict_of(KONDUCTOR_REVOKE));
  EXPECT_EQ(plugin.breach(), "");
}

struct Breach {
  const char* name;
  std::function<void(Plugin&)> speak;
  const char* reason;
};
void PrintTo(const Breach& breach, std::ostream* out) {
  *out << breach.name;
}

class BreachOfContract : public ::testing::TestWithParam<Breach> {};

TEST_P(BreachOfContract, is_noticed) {
  Plugin plugin;
  GetParam().speak(plugin);
  EXPECT_THAT(plugin.breach(), HasSubstr(GetParam().reason));
}

const std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
const std::string large = "{\"a\": \"" + std::string(65536, 'x') + "\"}";
template <class F>
auto times(int count, F speak) {
  return [=](Plugin& p) {
    for (int i = 0; i < count; ++i) speak(p, i);
  };
}

const Breach breaches[] = {
    {"index", [](Plugin& p) { p.verdict(5, verdict_of(KONDUCTOR_GRANT)); }, "on claim 5 of 5"},
    {"index_of_size_max", [](Plugin& p) { p.verdict(SIZE_MAX, verdict_of(KONDUCTOR_WAIT)); }, "of 5"},
    {"null_verdict", [](Plugin& p) { p.null_verdict(); }, "a null pointer"},
    {"twice", times(2, [](Plugin& p, int) { p.verdict(0, verdict_of(KONDUCTOR_WAIT)); }),
     "two verdicts on claim home/0"},
    {"unknown_verdict", [](Plugin& p) { p.verdict(0, verdict_of(42)); }, "unknown kind 42"},
    {"grant_of_granted", [](Plugin& p) { p.verdict(2, verdict_of(KONDUCTOR_GRANT)); },
     "grants claim home/2, which does not wait"},
    {"grant_of_ended", [](Plugin& p) { p.verdict(4, verdict_of(KONDUCTOR_GRANT)); }, "which does not wait"},
    {"consume_of_granted", [](Plugin& p) { p.verdict(2, verdict_of(KONDUCTOR_GRANT_CONSUME)); }, "which does not wait"},
    {"revoke_of_waiting", [](Plugin& p) { p.verdict(0, verdict_of(KONDUCTOR_REVOKE)); },
     "revokes claim home/0, which holds nothing"},
    {"revoke_of_ended", [](Plugin& p) { p.verdict(4, verdict_of(KONDUCTOR_REVOKE)); }, "which holds nothing"},
    {"deny_of_granted", [](Plugin& p) { p.verdict(2, verdict_of(KONDUCTOR_DENY)); }, "denies claim home/2"},
    {"too_many_grants",
     times(2, [](Plugin& p, int i) { p.verdict(static_cast<std::size_t>(i), verdict_of(KONDUCTOR_GRANT)); }),
     "more than the 1 of this round"},
    {"negative_grace", [](Plugin& p) { p.verdict(2, verdict_of(KONDUCTOR_REVOKE, "", "", -1)); }, "a grace of -1"},
    {"endless_grace",
     [](Plugin& p) { p.verdict(2, verdict_of(KONDUCTOR_REVOKE, "", "", std::numeric_limits<std::int64_t>::max())); },
     "right is 0 to a year"},
    {"reason_words", [](Plugin& p) { p.verdict(0, verdict_of(KONDUCTOR_WAIT, "not a word")); }, "not a CamelCase word"},
    {"message_bytes", [](Plugin& p) { p.verdict(0, verdict_of(KONDUCTOR_WAIT, "Full", "\xff")); }, "not UTF-8"},
    {"state_garbage", [](Plugin& p) { p.state("{\"a\": \xff\xfe"); }, "state is not JSON: it is not UTF-8 text"},
    {"state_list", [](Plugin& p) { p.state("[1]"); }, "state is JSON of type array"},
    {"state_nan", [](Plugin& p) { p.state("{\"a\": NaN}"); }, "state is not JSON"},
    {"state_empty", [](Plugin& p) { p.state(""); }, "state is not JSON"},
    {"state_null", [](Plugin& p) { p.raw_state({nullptr, 9}); }, "state is a null pointer"},
    {"state_large", [](Plugin& p) { p.state(large); }, "more than 65536"},
    {"state_deep", [](Plugin& p) { p.state(deep); }, "nested more than 64 deep"},
    {"state_twice", times(2, [](Plugin& p, int) { p.state("{}"); }), "its state twice"},
    {"status_twice", times(2, [](Plugin& p, int) { p.status("{}"); }), "its status twice"},
    {"status_ledger", [](Plugin& p) { p.status("{\"ledger\": {}}"); }, "status names ledger, which is the host's"},
    {"condition_type", [](Plugin& p) { p.condition("", KONDUCTOR_TRUE, "Ok"); }, "the type of a condition"},
    {"condition_status", [](Plugin& p) { p.condition("Ready", 5, "Ok"); }, "the unknown status 5"},
    {"condition_reason", [](Plugin& p) { p.condition("Ready", KONDUCTOR_TRUE, ""); }, "the reason of condition Ready"},
    {"condition_twice", times(2, [](Plugin& p, int) { p.condition("Ready", KONDUCTOR_TRUE, "Ok"); }), "Ready twice"},
    {"conditions", times(65, [](Plugin& p, int i) { p.condition("C" + std::to_string(i), KONDUCTOR_TRUE, "Ok"); }),
     "more than 64 conditions"},
    {"events", times(65, [](Plugin& p, int) { p.event(KONDUCTOR_EVENT_NORMAL, "Lit"); }), "more than 64 events"},
    {"event_type", [](Plugin& p) { p.event(7, "Lit"); }, "unknown type 7"},
    {"needs", times(65, [](Plugin& p, int i) { p.need(pods_of("n" + std::to_string(i), "x", "")); }),
     "more than 64 needs"},
    {"need_without_object", [](Plugin& p) { p.need(pods_of("n", "", "")); },
     "either an object's name or a label selector"},
    {"need_with_both", [](Plugin& p) { p.need(pods_of("n", "x", "a=b")); },
     "either an object's name or a label selector"},
    {"need_name", [](Plugin& p) { p.need(pods_of("n", "../secrets/x", "")); }, "malformed object name"},
    {"need_twice", times(2, [](Plugin& p, int) { p.need(pods_of("n", "x", "")); }), "is given twice"},
    {"look_into_the_past", [](Plugin& p) { p.look_again_at(-5); }, "look again at the time -5"},
};
INSTANTIATE_TEST_SUITE_P(Sink, BreachOfContract, ::testing::ValuesIn(breaches),
                         [](const auto& test) { return test.param.name; });

TEST(Sink, discards_only_claims_that_are_only_counted) {
  Plugin counts(runtime::Mode::counted), grants;
  counts.verdict(1, verdict_of(KONDUCTOR_DISCARD));
  EXPECT_EQ(counts.breach(), "");
  EXPECT_EQ(counts.plan().verdicts.at(0).kind, runtime::VerdictKind::discard);
  grants.verdict(1, verdict_of(KONDUCTOR_DISCARD));
  EXPECT_THAT(grants.breach(), HasSubstr("discards claim home/1, but claims of this kind are not only counted"));
}

TEST(Sink, grants_nothing_to_claims_that_are_only_counted) {
  for (auto kind : {KONDUCTOR_GRANT, KONDUCTOR_GRANT_CONSUME}) {
    Plugin plugin(runtime::Mode::counted);
    plugin.verdict(0, verdict_of(kind));
    EXPECT_THAT(plugin.breach(), HasSubstr("only counted"));
  }
  Plugin plugin(runtime::Mode::counted);
  plugin.verdict(0, verdict_of(KONDUCTOR_DENY, "Failed", "the round is over"));
  EXPECT_EQ(plugin.breach(), "");
}

TEST(Sink, quotes_a_plugin_without_its_control_characters) {
  Plugin plugin;
  konductor_need need{};
  need.struct_size = sizeof(need);
  need.id = str("\x1b[2Jred\n");
  plugin.need(need);
  EXPECT_EQ(plugin.breach(), "the need \"\\x1b[2Jred \" lacks a version or a plural");
}

}  // namespace
}  // namespace konductor::host
