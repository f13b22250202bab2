#include "runtime/ledger.hpp"

#include "tests/support/objects.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace konductor::runtime {
namespace {

using nlohmann::json;

Claim claim(const std::string& name, Phase phase, std::uint64_t rv, const std::string& uid = {}) {
  Claim made;
  made.key = "ns/" + name;
  made.uid = uid.empty() ? "uid-" + name : uid;
  made.phase = phase;
  made.rv = rv;
  made.resource_version = std::to_string(rv);
  return made;
}

PendingGrant entry(const std::string& name, const std::string& rv = "50") {
  return {"ns/" + name, "uid-" + name, 1, 7, rv};
}

struct Known {
  std::map<std::string, Claim> claims;
  LedgerView at(std::uint64_t rv) const {
    return {rv, [this](const std::string& key) {
              const auto found = claims.find(key);
              return found == claims.end() ? nullptr : &found->second;
            }};
  }
};

TEST(Ledger, survives_a_round_trip) {
  const Ledger ledger{41, "99", {entry("a"), entry("b")}};
  const auto read = parse_ledger({{"status", {{"ledger", to_json(ledger)}}}});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, ledger);
}

TEST(Ledger, is_absent_or_an_error_but_never_half_read) {
  EXPECT_EQ(parse_ledger(json::object()).value(), std::nullopt);
  EXPECT_EQ(parse_ledger({{"status", {{"ledger", nullptr}}}}).value(), std::nullopt);
  const auto good = to_json({41, "99", {entry("a")}});
  for (const char* key : {"lastToken", "seen"}) {
    auto lacks = good;
    lacks.erase(key);
    EXPECT_FALSE(parse_ledger({{"status", {{"ledger", lacks}}}})) << key;
  }
  for (const char* key : {"claim", "uid", "units", "token"}) {
    auto lacks = good;
    lacks["pending"][0].erase(key);
    EXPECT_FALSE(parse_ledger({{"status", {{"ledger", lacks}}}})) << key;
  }
  for (const json& bad : {json("text"), json(7), json::array()})
    EXPECT_FALSE(parse_ledger({{"status", {{"ledger", bad}}}}));
  auto negative = good;
  negative["pending"][0]["units"] = -1;
  EXPECT_FALSE(parse_ledger({{"status", {{"ledger", negative}}}}));
  auto no_list = good;
  no_list["pending"] = "none";
  EXPECT_FALSE(parse_ledger({{"status", {{"ledger", no_list}}}}));
}

TEST(LedgerSettled, drops_an_entry_exactly_when_its_fate_is_known) {
  struct Case {
    const char* what;
    std::optional<Claim> shown;
    std::uint64_t view_rv;
    bool dropped;
    const char* seen;
  };
  const Case cases[] = {
      {"still waiting", claim("a", Phase::pending, 60), 90, false, "40"},
      {"told", claim("a", Phase::granted, 70), 60, true, "70"},
      {"told, and seen is newer", claim("a", Phase::granted, 30), 60, true, "40"},
      {"revoking", claim("a", Phase::revoking, 70), 90, true, "70"},
      {"of an unknown phase: holds", claim("a", Phase::unknown, 70), 90, true, "70"},
      {"denied", claim("a", Phase::denied, 71), 90, true, "71"},
      {"expired", claim("a", Phase::expired, 71), 90, true, "71"},
      {"absent in a newer view", std::nullopt, 51, true, "40"},
      {"absent in an older view", std::nullopt, 49, false, "40"},
      {"absent in a view of unknown age", std::nullopt, 0, false, "40"},
      {"another one, newer view", claim("a", Phase::pending, 80, "other"), 80, true, "40"},
      {"another one, older view", claim("a", Phase::granted, 45, "other"), 49, false, "40"},
  };
  for (const auto& one : cases) {
    Known known;
    if (one.shown) known.claims.emplace("ns/a", *one.shown);
    const auto left = settled({9, "40", {entry("a")}}, known.at(one.view_rv));
    EXPECT_EQ(left.pending.empty(), one.dropped) << one.what;
    EXPECT_EQ(left.seen, one.seen) << one.what;
    EXPECT_EQ(left.last_token, 9) << one.what;
  }
}

TEST(LedgerSettled, keeps_an_absent_entry_whose_version_cannot_be_compared) {
  EXPECT_EQ(settled({9, "40", {entry("a", "x1")}}, Known{}.at(1000)).pending.size(), 1U);
}

TEST(LedgerCovers, a_view_as_new_as_seen_or_ones_own_ledger) {
  const Ledger ledger{9, "40", {entry("a")}};
  EXPECT_FALSE(covers(39, ledger, {}));
  EXPECT_TRUE(covers(40, ledger, {}));
  EXPECT_TRUE(covers(0, ledger, ledger));
  EXPECT_FALSE(covers(39, ledger, Ledger{8, "40", {entry("a")}}));
  EXPECT_FALSE(covers(1000, Ledger{9, "x40", {}}, {})) << "what cannot be compared fails closed";
}

TEST(LedgerTokens, grow_whatever_grew_before) {
  EXPECT_EQ(token_base({5, "1", {}}, 3), 3000);
  EXPECT_EQ(token_base({5000, "1", {}}, 3), 5000);
  EXPECT_EQ(token_base({5000, "1", {}}, 0), 5000);
}

TEST(LedgerTokens, neither_overflow_nor_go_back_at_the_end_of_64_bits) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::uint64_t rv : {std::uint64_t{9'223'372'036'854'775}, std::numeric_limits<std::uint64_t>::max()}) {
    const auto base = token_base({5, "1", {}}, rv);
    EXPECT_GT(base, 5) << rv;
    EXPECT_LT(base, most - 1'000'000'000) << rv;
  }
  // With a token that was never given there is no next one: nothing is granted.
  for (const std::int64_t last : {most, most / 2 + 1, std::int64_t{-1}}) {
    EXPECT_FALSE(parse_ledger({{"status", {{"ledger", {{"lastToken", last}, {"seen", "1"}}}}}})) << last;
  }
}

TEST(LedgerMarks, need_this_life_or_a_strictly_newer_claim) {
  Claim made = claim("a", Phase::pending, 1);
  made.created = 10;
  EXPECT_FALSE(is_marked_for(made, "w", 10));
  EXPECT_FALSE(is_marked_for(made, "w", 11));
  EXPECT_TRUE(is_marked_for(made, "w", 9));
  made.mark = "other";
  EXPECT_FALSE(is_marked_for(made, "w", 9));
  made.mark = "w";
  EXPECT_TRUE(is_marked_for(made, "w", 11));
}

TEST(LedgerMarks, are_needed_before_the_first_grant_by_whoever_does_not_show_that_it_is_newer) {
  const Ledger none{0, "50", {}};
  Claim made = claim("a", Phase::pending, 1);
  made.created = 10;
  made.rv = 51;
  EXPECT_FALSE(needs_mark(made, "w", 9, none));
  EXPECT_TRUE(needs_mark(made, "w", 10, none));
  made.rv = 50;
  EXPECT_TRUE(needs_mark(made, "w", 9, none)) << "it was there before, whatever the clocks say";
  EXPECT_FALSE(needs_mark(made, "w", 9, Ledger{7, "50", {}}));
  made.mark = "w";
  EXPECT_FALSE(needs_mark(made, "w", 9, none));
  made.mark.clear();
  made.rv = 60;
  made.renew_time = "2023-11-14T22:13:20.000000Z";
  EXPECT_TRUE(needs_mark(made, "w", 9, none)) << "written since it was created";
  made.renew_time.clear();
  made.acknowledged = true;
  EXPECT_TRUE(needs_mark(made, "w", 9, none));
}

}  // namespace
}  // namespace konductor::runtime
