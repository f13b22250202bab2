#include "semaphore/codec.hpp"

#include <gtest/gtest.h>

namespace konductor::semaphore {
namespace {

TEST(SemaphoreCodec, reads_a_spec_and_ignores_what_is_not_its_own) {
  EXPECT_EQ(parse_spec(R"({"permits": 5})")->permits, 5);
  EXPECT_EQ(parse_spec(R"({"ttl":"10m","permits":0,"allowedNamespaces":{"from":["Same"]}})")->permits, 0);
  EXPECT_EQ(parse_spec(R"({"permits":1000000})")->permits, 1'000'000);
}

TEST(SemaphoreCodec, reads_how_priorities_age_and_are_bounded) {
  const auto plain = parse_spec(R"({"permits":5,"priorityAging":null,"maxPriority":null})");
  EXPECT_EQ(plain->priority_aging, 0);
  EXPECT_FALSE(plain->max_priority);
  const auto both = parse_spec(R"({"permits":5,"priorityAging":"1m30s","maxPriority":-4})");
  EXPECT_EQ(both->priority_aging, 90'000'000);
  EXPECT_EQ(both->max_priority, -4);
  EXPECT_EQ(parse_spec(R"({"permits":5,"priorityAging":"8760h"})")->priority_aging, longest_aging);
}

TEST(SemaphoreCodec, never_takes_what_it_cannot_read_for_absent) {
  for (const char* member :
       {R"("priorityAging":"")", R"("priorityAging":"often")", R"("priorityAging":60)", R"("priorityAging":"999ms")",
        R"("priorityAging":"8761h")", R"("priorityAging":"-5m")", R"("priorityAging":{})", R"("maxPriority":"5")",
        R"("maxPriority":1000001)", R"("maxPriority":-1000001)", R"("maxPriority":1.5)", R"("maxPriority":true)"}) {
    EXPECT_FALSE(parse_spec(std::string(R"({"permits":5,)") + member + "}")) << member;
  }
}

TEST(SemaphoreCodec, refuses_what_is_no_spec) {
  for (const char* json : {"", "{", "null", "[]", "5", "{}", R"({"permits":null})", R"({"permits":"5"})",
                           R"({"permits":-1})", R"({"permits":1000001})", R"({"permits":5.5})", R"({"permits":1e2})",
                           R"({"permits":99999999999999999999})", R"({"permits":5} x)", R"({"permits":5,})"}) {
    EXPECT_FALSE(parse_spec(json)) << json;
  }
}

TEST(SemaphoreCodec, writes_every_member_of_the_status) {
  EXPECT_EQ(to_json({Phase::draining, 3, 4, 0, 12}),
            R"({"phase":"Draining","permits":3,"inUse":4,"available":0,"waiting":12})");
  EXPECT_EQ(to_json({Phase::ready, 3, 1, 2, 0}),
            R"({"phase":"Ready","permits":3,"inUse":1,"available":2,"waiting":0})");
  EXPECT_EQ(to_string(Phase::paused), "Paused");
}

}  // namespace
}  // namespace konductor::semaphore
