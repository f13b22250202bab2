#include "runtime/elector.hpp"

#include "tests/unit/runtime/lease_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <variant>

namespace konductor::runtime {
namespace {

using namespace std::chrono_literals;
using State = Elector::State;

ElectorSettings settings_of(const std::string& identity) {
  return {.ns = "sys",
          .name = "op",
          .identity = identity,
          .lease_duration = 15s,
          .renew_deadline = 10s,
          .retry_period = 2s,
          .look_period = 2s};
}

/// One elector `a` before a server on which others write too.
class ElectorTest : public testing::Test {
 protected:
  std::string resume(const Elector::Event& event) {
    const Elector::Action action = elector.resume(event, {now, WallTime{now.time_since_epoch()}});
    if (std::holds_alternative<Elector::Done>(action)) return "done";
    if (const auto* wait = std::get_if<Elector::Wait>(&action)) {
      until = wait->until;
      return "wait " + std::to_string((wait->until - now) / 1ms);
    }
    request = std::get<Elector::Send>(action).request;
    until = std::get<Elector::Send>(action).until;
    return std::string(kube::to_string(request.method));
  }

  /// The server executes the request under way and its answer arrives `later`.
  std::string answered(Duration later = 0ms) {
    const kube::Response response = server.execute(request);
    now += later;
    return resume(Elector::Answered{response});
  }
  std::string lost(Errc code = Errc::unavailable) { return resume(Elector::Answered{Error{code, "lost"}}); }
  std::string refused(int status) {
    return resume(Elector::Answered{kube::Response{.status = status, .body = "{}", .date = {}}});
  }
  std::string waited() {
    now = until;
    return resume(Elector::WaitOver{});
  }

  void become_leader() {
    ASSERT_EQ(resume(Elector::Started{}), "GET");
    ASSERT_EQ(answered(), "POST");
    ASSERT_EQ(answered(), "wait 2000");
    ASSERT_TRUE(elector.leading());
  }

  test::LeaseServer server;
  Elector elector{settings_of("a")};
  MonoTime now{1000s};
  MonoTime until{};
  kube::Request request;
};

TEST_F(ElectorTest, creates_the_record_where_there_is_none) {
  EXPECT_EQ(elector.state(), State::start);
  EXPECT_EQ(resume(Elector::Started{}), "GET");
  EXPECT_EQ(request.target, "/apis/coordination.k8s.io/v1/namespaces/sys/leases/op");
  EXPECT_EQ(answered(), "POST");
  EXPECT_EQ(elector.state(), State::acquiring);
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_EQ(elector.state(), State::leading);
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(elector.holder(), "a");
  EXPECT_EQ(server.spec()["holderIdentity"], "a");
  EXPECT_EQ(server.spec()["leaseDurationSeconds"], 15);
  EXPECT_EQ(server.spec()["leaseTransitions"], 0);
  EXPECT_EQ(server.spec()["acquireTime"], "1970-01-01T00:16:40.000000Z");
}

TEST_F(ElectorTest, reads_again_when_somebody_else_created_it_first) {
  resume(Elector::Started{});
  answered();
  server.write("b", 15);
  EXPECT_EQ(answered(), "GET");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(elector.holder(), "b");
}

TEST_F(ElectorTest, waits_where_the_namespace_is_missing) {
  resume(Elector::Started{});
  answered();
  EXPECT_EQ(resume(Elector::Answered{server.not_found("namespaces", "sys")}), "wait 2000");
  EXPECT_EQ(waited(), "GET");
}

TEST_F(ElectorTest, takes_over_a_released_record_at_once) {
  server.write("", 1, 3);
  resume(Elector::Started{});
  EXPECT_EQ(answered(), "PATCH");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(server.spec()["leaseTransitions"], 4);
}

TEST_F(ElectorTest, takes_over_only_after_having_seen_the_record_unchanged_for_its_duration) {
  server.write("b", 15);
  resume(Elector::Started{});
  const MonoTime first_seen = now;
  std::string action = answered();
  while (now - first_seen < 15s) {
    EXPECT_EQ(action.substr(0, 4), "wait") << (now - first_seen) / 1ms;
    ASSERT_EQ(waited(), "GET");
    action = answered();
  }
  EXPECT_EQ(now - first_seen, 15s);
  EXPECT_EQ(action, "PATCH");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_TRUE(elector.leading());
}

TEST_F(ElectorTest, counts_again_whenever_the_record_changes) {
  server.write("b", 15);
  resume(Elector::Started{});
  answered();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(waited(), "GET");
    server.write("b", 15);
    ASSERT_EQ(answered(), "wait 2000");
  }
}

TEST_F(ElectorTest, respects_a_holder_with_a_longer_duration_but_not_for_ever) {
  server.write("b", 60);
  resume(Elector::Started{});
  answered();
  now += 59s;
  EXPECT_EQ(resume(Elector::WaitOver{}), "GET");
  EXPECT_EQ(answered(), "wait 1000");
  server.write("b", 2'000'000'000);
  EXPECT_EQ(waited(), "GET");
  EXPECT_EQ(answered(), "wait 2000");
  now += 3600s;
  resume(Elector::WaitOver{});
  EXPECT_EQ(answered(), "PATCH");
}

TEST_F(ElectorTest, takes_its_own_record_back_without_a_transition) {
  server.write("a", 15, 7);
  resume(Elector::Started{});
  EXPECT_EQ(answered(), "PATCH");
  answered();
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(server.spec()["leaseTransitions"], 7);
}

TEST_F(ElectorTest, renews_with_the_version_and_without_touching_acquisition) {
  become_leader();
  const nlohmann::json before = server.spec();
  EXPECT_EQ(waited(), "PATCH");
  EXPECT_EQ(elector.state(), State::renewing);
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_EQ(server.spec()["acquireTime"], before["acquireTime"]);
  EXPECT_EQ(server.spec()["leaseTransitions"], before["leaseTransitions"]);
  EXPECT_NE(server.spec()["renewTime"], before["renewTime"]);
}

TEST_F(ElectorTest, changes_the_record_even_where_the_servers_clock_stands_still) {
  resume(Elector::Started{});
  answered();
  answered();
  const std::string before = server.version();
  now += 2s;
  const auto action = elector.resume(Elector::WaitOver{}, {now, WallTime{1000s}});
  server.execute(std::get<Elector::Send>(action).request);
  EXPECT_NE(server.version(), before);
}

TEST_F(ElectorTest, counts_its_deadline_from_the_sending_of_the_last_good_renewal) {
  become_leader();
  waited();
  const MonoTime sent = now;
  EXPECT_EQ(until, now + 8s);  // of the acquisition, which was sent 2 s ago
  EXPECT_EQ(answered(3s), "wait 0");
  EXPECT_TRUE(elector.leading_at(sent + 10s - 1us));
  EXPECT_FALSE(elector.leading_at(sent + 10s));
}

TEST_F(ElectorTest, leads_on_through_failed_renewals_until_its_deadline) {
  become_leader();
  const MonoTime acquired = now;
  std::string action = waited();
  while (action == "PATCH") {
    EXPECT_TRUE(elector.leading());
    action = lost();
    EXPECT_EQ(action.substr(0, 4), "wait");
    EXPECT_NE(elector.problem(), "");
    action = waited();
  }
  EXPECT_EQ(now, acquired + 10s);
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(action, "GET");
  EXPECT_EQ(elector.state(), State::reading);
  // Nobody took over: it leads again once the server answers.
  EXPECT_EQ(answered(), "PATCH");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(elector.problem(), "");
}

TEST_F(ElectorTest, does_not_lead_on_an_answer_that_took_longer_than_the_deadline) {
  resume(Elector::Started{});
  answered();
  EXPECT_EQ(answered(10s), "GET");
  EXPECT_FALSE(elector.leading());
}

TEST_F(ElectorTest, renews_again_after_a_conflict_that_left_the_record_its_own) {
  become_leader();
  waited();
  server.write("a", 15);
  EXPECT_EQ(answered(), "GET");
  EXPECT_EQ(elector.state(), State::checking);
  EXPECT_TRUE(elector.leading());
  EXPECT_EQ(answered(), "PATCH");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_TRUE(elector.leading());
}

TEST_F(ElectorTest, steps_down_when_somebody_else_has_the_record) {
  become_leader();
  waited();
  server.write("b", 15);
  EXPECT_EQ(answered(), "GET");
  EXPECT_EQ(answered(), "wait 2000");
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(elector.state(), State::waiting);
}

TEST_F(ElectorTest, steps_down_when_the_record_is_gone) {
  become_leader();
  waited();
  server.remove();
  EXPECT_EQ(answered(), "GET");
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(answered(), "POST");
}

TEST_F(ElectorTest, tries_again_after_any_other_refusal) {
  for (const int status : {401, 403, 422, 429, 500, 503}) {
    elector = Elector(settings_of("a"));
    resume(Elector::Started{});
    EXPECT_EQ(refused(status), "wait 2000") << status;
    EXPECT_THAT(elector.problem(), testing::StartsWith("get leases.coordination.k8s.io sys/op: "));
    EXPECT_EQ(waited(), "GET");
  }
  kube::Response busy{.status = 429, .body = "", .retry_after_s = 9, .date = {}};
  EXPECT_EQ(resume(Elector::Answered{busy}), "wait 9000");
  waited();
  busy.retry_after_s = 3600;
  EXPECT_EQ(resume(Elector::Answered{busy}), "wait 30000") << "else nobody leads for an hour";
}

TEST_F(ElectorTest, trusts_no_answer_without_a_version) {
  resume(Elector::Started{});
  EXPECT_EQ(resume(Elector::Answered{kube::Response{.status = 200, .body = "{}", .date = {}}}), "wait 2000");
  EXPECT_THAT(elector.problem(), testing::HasSubstr("no resourceVersion"));
}

TEST_F(ElectorTest, releases_on_shutdown) {
  become_leader();
  EXPECT_EQ(resume(Elector::Shutdown{}), "PATCH");
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(answered(), "done");
  EXPECT_EQ(server.spec()["holderIdentity"], "");
  EXPECT_EQ(server.spec()["leaseDurationSeconds"], 1);
  EXPECT_EQ(server.spec()["leaseTransitions"], 0);
}

TEST_F(ElectorTest, looks_first_on_shutdown_while_a_renewal_is_under_way) {
  become_leader();
  waited();
  server.execute(request);
  EXPECT_EQ(resume(Elector::Shutdown{}), "GET");
  EXPECT_EQ(elector.state(), State::recalling);
  EXPECT_FALSE(elector.leading());
  EXPECT_EQ(answered(), "PATCH");
  EXPECT_EQ(answered(), "done");
  EXPECT_EQ(server.spec()["holderIdentity"], "");
}

TEST_F(ElectorTest, releases_an_acquisition_whose_answer_was_lost) {
  resume(Elector::Started{});
  answered();
  server.execute(request);
  EXPECT_EQ(lost(Errc::timeout), "wait 2000");
  EXPECT_EQ(resume(Elector::Shutdown{}), "GET");
  EXPECT_EQ(answered(), "PATCH");
  EXPECT_EQ(answered(), "done");
  EXPECT_EQ(server.spec()["holderIdentity"], "");
}

TEST_F(ElectorTest, has_nothing_to_release_on_shutdown_where_it_does_not_hold) {
  EXPECT_EQ(resume(Elector::Shutdown{}), "done");
  elector = Elector(settings_of("a"));
  server.write("b", 15);
  resume(Elector::Started{});
  answered();
  EXPECT_EQ(resume(Elector::Shutdown{}), "done");
  EXPECT_EQ(resume(Elector::WaitOver{}), "done");
}

TEST_F(ElectorTest, never_releases_the_record_of_another) {
  become_leader();
  waited();
  server.write("b", 15);
  EXPECT_EQ(resume(Elector::Shutdown{}), "GET");
  EXPECT_EQ(answered(), "done");
  EXPECT_EQ(server.spec()["holderIdentity"], "b");
}

TEST_F(ElectorTest, gives_a_release_up_after_a_second_conflict_or_a_failure) {
  become_leader();
  resume(Elector::Shutdown{});
  server.write("a", 15);
  EXPECT_EQ(answered(), "GET");
  EXPECT_EQ(answered(), "PATCH");
  server.write("a", 15);
  EXPECT_EQ(answered(), "done");

  elector = Elector(settings_of("a"));
  resume(Elector::Started{});
  answered();
  answered();
  EXPECT_EQ(resume(Elector::Shutdown{}), "PATCH");
  EXPECT_EQ(lost(), "done");
}

TEST_F(ElectorTest, takes_a_record_over_whatever_its_number_of_transitions) {
  // The API server takes from 0 to 2147483647, and one more would be refused for ever.
  for (const std::int64_t transitions : {std::int64_t{2147483647}, std::numeric_limits<std::int64_t>::max()}) {
    elector = Elector(settings_of("a"));
    server.write("", 15, transitions);
    EXPECT_EQ(resume(Elector::Started{}), "GET");
    EXPECT_EQ(answered(), "PATCH");
    EXPECT_EQ(nlohmann::json::parse(request.body)["spec"]["leaseTransitions"], 2147483647);
    answered();
    EXPECT_TRUE(elector.leading());
  }
}

}  // namespace
}  // namespace konductor::runtime
