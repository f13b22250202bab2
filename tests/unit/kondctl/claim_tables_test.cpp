#include "kondctl/claim_tables.hpp"

#include "widgets.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::kondctl::test {
namespace {

using nlohmann::json;

const kube::WallTime now = *kube::parse_rfc3339("2024-01-15T10:30:00Z");

json ticket(const std::string& name, int priority, const std::string& reason, const std::string& message) {
  json claim = {{"metadata", {{"name", name}, {"namespace", "team"}, {"creationTimestamp", "2024-01-15T10:29:15Z"}}},
                {"spec", {{"widget", "q"}, {"size", 2}, {"priority", priority}, {"holder", "h-" + name}}}};
  if (reason.empty()) return claim;
  const json condition = {{"type", "Granted"}, {"status", "False"}, {"reason", reason}, {"message", message}};
  claim["status"] = {{"phase", "Pending"}, {"conditions", json::array({condition})}};
  return claim;
}

TEST(ClaimTables, show_the_place_of_each_waiter_as_it_is_now) {
  const auto kind = widget_kind();
  const auto claims =
      sorted_claims({ticket("late", 0, "Waiting", "9 ahead"), ticket("huge", 5, "ExceedsLimit", "too much"),
                     ticket("first", 3, "Waiting", "12 ahead"), ticket("new", -1, "", "")},
                    kind, "q");
  EXPECT_EQ(queue_of(claims, kind, now),
            "WAITING   PLACE   CLAIM   SIZE   PRIORITY   AGE   WHY\n"
            "h-huge    -       huge    2      5          45s   too much\n"
            "h-first   1       first   2      3          45s   12 ahead\n"
            "h-late    2       late    2      0          45s   9 ahead\n"
            "h-new     3       new     2      -1         45s   no operator has answered yet\n");
  EXPECT_EQ(holders_of(claims, kind, now), "nobody holds it\n");
}

TEST(ClaimTables, show_holders_in_the_order_of_their_grants) {
  const auto kind = widget_kind();
  std::vector<json> objects;
  for (const int token : {12, 3, 20}) {
    json claim = ticket("t" + std::to_string(token), 0, "", "");
    claim["status"] = {
        {"phase", "Granted"}, {"token", token}, {"units", 2}, {"ttl", "5m"}, {"grantedAt", "2024-01-15T10:29:45Z"}};
    if (token == 12) claim["spec"]["renewTime"] = "2024-01-15T10:29:55.000001Z";
    if (token == 20) claim["status"]["grantedAt"] = "2024-01-15T10:09:00Z";
    objects.push_back(std::move(claim));
  }
  objects.push_back(ticket("over", 0, "", ""));
  objects.back()["status"] = {{"phase", "Denied"}};
  const auto claims = sorted_claims(std::move(objects), kind, "q");
  EXPECT_EQ(holders_of(claims, kind, now),
            "HELD BY   CLAIM   SIZE   SINCE   UNTIL        TTL   TOKEN\n"
            "h-t3      t3      2      15s     in 4m45s     5m    3\n"
            "h-t12     t12     2      15s     in 4m55s     5m    12\n"
            "h-t20     t20     2      21m     any moment   5m    20\n");
  EXPECT_EQ(queue_of(claims, kind, now), "nobody waits\n");
}

TEST(ClaimTables, show_the_first_holders_of_the_status_where_claims_may_not_be_listed) {
  const auto kind = widget_kind();
  json widget = {{"status",
                  {{"holders",
                    {{{"name", "team/a"}, {"holder", "job\n7"}, {"units", 3}, {"since", "2024-01-15T10:29:45Z"}},
                     {{"name", "team/b"}}}}}}};
  EXPECT_EQ(first_holders_of(widget, kind, now),
            "HELD BY   CLAIM    SIZE   SINCE\n"
            "job 7     team/a   3      15s\n"
            "          team/b   1\n");
  widget["status"]["holders"] = json::array();
  EXPECT_EQ(first_holders_of(widget, kind, now), "nobody holds it\n");
  EXPECT_EQ(first_holders_of({{"status", {{"holders", 5}}}}, kind, now), "");
  EXPECT_EQ(first_holders_of(json::object(), kind, now), "");
}

// ---- of claims that are only counted

json guest(const std::string& name, const json& spec, const std::string& owner = "u-party") {
  json claim = {
      {"metadata",
       {{"name", name}, {"namespace", "team"}, {"uid", "u-" + name}, {"creationTimestamp", "2024-01-15T10:29:15Z"}}},
      {"spec", {{"party", "p"}, {"holder", "h-" + name}}}};
  claim["spec"].update(spec);
  if (!owner.empty()) {
    claim["metadata"]["ownerReferences"] =
        json::array({{{"apiVersion", "sync.konductor.io/v1"}, {"kind", "Party"}, {"name", "p"}, {"uid", owner}}});
  }
  return claim;
}

json with_condition(json claim, const std::string& type, const std::string& reason, const std::string& message) {
  const json condition = {{"type", type}, {"status", "False"}, {"reason", reason}, {"message", message}};
  claim["status"]["conditions"] = json::array({condition});
  return claim;
}

json party(bool weekly) {
  return {{"metadata",
           {{"name", "p"}, {"namespace", "team"}, {"uid", "u-party"}, {"creationTimestamp", "2024-01-15T10:00:00Z"}}},
          {"spec", {{"weekly", weekly}}}};
}

TEST(ClaimTables, show_counted_claims_by_participant_round_and_age) {
  const auto kind = party_kind();
  json denied = with_condition(guest("d", {{"seat", "9"}, {"evening", 2}}), "Granted", "NotInvited", "not on the list");
  denied["status"]["phase"] = "Denied";
  json found = guest("f", {{"evening", 1}, {"pod", {{"name", "x"}, {"uid", "u-x"}}}});
  found["status"]["participant"] = "u-job/3";
  const auto claims = counted_claims(
      {denied, guest("b", {{"seat", "7"}, {"evening", 2}}), found,
       guest("former", {{"seat", "5"}, {"evening", 1}}, "u-former"), guest("other", {{"party", "o"}, {"evening", 1}})},
      kind, party(true));
  EXPECT_EQ(table_of(claims, kind, party(true), now),
            "SEAT      EVENING   CLAIM   HOLDER   AGE\n"
            "u-job/3   1         f       h-f      45s\n"
            "7         2         b       h-b      45s\n"
            "9         2         d       h-d      45s   Denied: not on the list\n");
}

TEST(ClaimTables, show_no_rounds_where_there_are_none_and_who_is_not_known_for_certain) {
  const auto kind = party_kind();
  const json pod = {{"pod", {{"name", "x"}, {"uid", "u-x"}}}};
  json doubtful = with_condition(guest("a", pod), "Participant", "PodIsParticipant", "a retry would count twice");
  doubtful["status"]["participant"] = "u-x";
  const auto claims = counted_claims({doubtful, guest("b", json::object(), ""), guest("c", pod)}, kind, party(false));
  EXPECT_EQ(table_of(claims, kind, party(false), now),
            "SEAT   CLAIM   HOLDER   AGE\n"
            "u-x    a       h-a      45s   a retry would count twice\n"
            "u-b    b       h-b      45s\n"
            "       c       h-c      45s   the operator has not found out yet who this is\n");
  EXPECT_EQ(table_of({}, kind, party(false), now), "nobody has joined\n");
}

}  // namespace
}  // namespace konductor::kondctl::test
