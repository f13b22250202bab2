#include "runtime/participant.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <ostream>
#include <string>

namespace konductor::runtime {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const NamedPod named{"worker-x", "pod-uid"};
const OwningJob job{"train", "job-uid"};

json pod() {
  return {{"metadata",
           {{"name", "worker-x"},
            {"namespace", "ns"},
            {"uid", "pod-uid"},
            {"ownerReferences",
             {{{"apiVersion", "batch/v1"},
               {"kind", "Job"},
               {"name", "train"},
               {"uid", "job-uid"},
               {"controller", true}}}}}}};
}

constexpr const char* index_key = "batch.kubernetes.io/job-completion-index";

struct Case {
  const char* name;
  std::function<void(json&)> bend;  // of the metadata
  const char* id;                   // empty: its Job has to be asked
  const char* doubt;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class ParticipantOfPod : public testing::TestWithParam<Case> {};

TEST_P(ParticipantOfPod, is_as_its_metadata_say) {
  auto object = pod();
  GetParam().bend(object["metadata"]);
  const auto found = participant_of(named, &object);
  const std::string id = GetParam().id;
  if (id.empty()) {
    ASSERT_TRUE(std::holds_alternative<OwningJob>(found));
    EXPECT_EQ(std::get<OwningJob>(found).name, "train");
    EXPECT_EQ(std::get<OwningJob>(found).uid, "job-uid");
    return;
  }
  ASSERT_TRUE(std::holds_alternative<Participant>(found));
  EXPECT_EQ(std::get<Participant>(found).id, id);
  EXPECT_EQ(std::get<Participant>(found).doubt, GetParam().doubt);
}

const Case cases[] = {
    {"index_in_a_label", [](json& m) { m["labels"] = {{index_key, "3"}}; }, "job-uid/3", ""},
    {"index_in_an_annotation", [](json& m) { m["annotations"] = {{index_key, "0"}}; }, "job-uid/0", ""},
    {"label_before_annotation",
     [](json& m) {
       m["annotations"] = {{index_key, "4"}};
       m["labels"] = {{index_key, "5"}};
     },
     "job-uid/5", ""},
    {"no_index", [](json&) {}, "", ""},
    {"index_of_words", [](json& m) { m["labels"] = {{index_key, "three"}}; }, "", ""},
    {"empty_index", [](json& m) { m["labels"] = {{index_key, ""}}; }, "", ""},
    {"long_index", [](json& m) { m["labels"] = {{index_key, std::string(99, '1')}}; }, "", ""},
    {"job_of_a_subresource", [](json& m) { m["ownerReferences"][0]["name"] = "train/status"; }, "pod-uid",
     "pod worker-x belongs to a Job of a name or UID that cannot be"},
    {"job_of_a_long_uid",
     [](json& m) {
       m["ownerReferences"][0]["uid"] = std::string(65, 'u');
       m["labels"] = {{index_key, "3"}};
     },
     "pod-uid", "pod worker-x belongs to a Job of a name or UID that cannot be"},
    {"no_owner", [](json& m) { m.erase("ownerReferences"); }, "pod-uid", "pod worker-x belongs to no Job"},
    {"no_controller", [](json& m) { m["ownerReferences"][0]["controller"] = false; }, "pod-uid",
     "pod worker-x belongs to no Job"},
    {"replica_set",
     [](json& m) {
       m["ownerReferences"][0]["kind"] = "ReplicaSet";
       m["ownerReferences"][0]["apiVersion"] = "apps/v1";
     },
     "pod-uid", "pod worker-x belongs to ReplicaSet train, which is no Job"},
    {"job_of_another_group", [](json& m) { m["ownerReferences"][0]["apiVersion"] = "batch.example.org/v1"; }, "pod-uid",
     "pod worker-x belongs to Job train, which is no Job"},
    {"index_without_a_job",
     [](json& m) {
       m["labels"] = {{index_key, "3"}};
       m.erase("ownerReferences");
     },
     "pod-uid", "pod worker-x belongs to no Job"},
};
INSTANTIATE_TEST_SUITE_P(Participant, ParticipantOfPod, testing::ValuesIn(cases),
                         [](const auto& test) { return test.param.name; });

TEST(Participant, of_a_pod_that_is_gone_is_not_known) {
  const auto none = participant_of(named, nullptr);
  ASSERT_TRUE(std::holds_alternative<GonePod>(none));
  EXPECT_EQ(std::get<GonePod>(none).why, "pod worker-x was gone before it could be looked at");
  auto object = pod();
  object["metadata"]["uid"] = "another";
  const auto other = participant_of(named, &object);
  ASSERT_TRUE(std::holds_alternative<GonePod>(other));
  EXPECT_EQ(std::get<GonePod>(other).why, "pod worker-x was gone, and another had its name");
}

TEST(Participant, is_the_job_only_where_that_has_one_completion) {
  const auto why = [](const json& spec) {
    const json object = {{"metadata", {{"name", "train"}, {"uid", "job-uid"}}}, {"spec", spec}};
    return why_not_one_completion(job, object);
  };
  EXPECT_EQ(why({{"completions", 1}, {"parallelism", 1}}), "");
  EXPECT_EQ(why({{"completions", 1}, {"parallelism", 3}}), "");
  EXPECT_EQ(why({{"parallelism", 1}}), "");
  EXPECT_EQ(why(json::object()), "");
  EXPECT_EQ(why({{"completions", 5}}), "Job train has 5 completions without indexes");
  EXPECT_EQ(why({{"completions", 0}}), "Job train has 0 completions without indexes");
  EXPECT_EQ(why({{"parallelism", 2}}), "Job train says no number of completions");
  EXPECT_EQ(why({{"completions", nullptr}, {"parallelism", 2}}), "Job train says no number of completions");
}

TEST(Participant, of_a_job_that_is_gone_is_not_known) {
  const auto why = [](const char* uid) {
    const json object = {{"metadata", {{"name", "train"}, {"uid", uid}}}, {"spec", {{"completions", 1}}}};
    return why_job_is_gone(job, &object);
  };
  EXPECT_EQ(why("job-uid"), "");
  EXPECT_EQ(why("x"), "Job train was gone, and another had its name");
  EXPECT_EQ(why_job_is_gone(job, nullptr), "Job train was gone before it could be looked at");
}

TEST(Participant, in_doubt_is_told_with_what_to_do) {
  KindDeclaration kind;
  kind.participant_field = "seat";
  EXPECT_THAT(doubt_message(kind, "pod x belongs to no Job"),
              testing::AllOf(HasSubstr("pod x belongs to no Job: it counts by its Pod"), HasSubstr("with spec.seat")));
  CommandDeclaration command;
  command.flags.resize(2);
  command.flags[1].name = "chair";
  command.flags[1].path = "spec.seat";
  kind.commands = {command};
  EXPECT_THAT(doubt_message(kind, "x"), HasSubstr("with --chair or spec.seat"));
}

TEST(Participant, that_is_lost_is_told_what_to_do) {
  KindDeclaration kind;
  kind.participant_field = "seat";
  kind.claim.singular = "guest";
  EXPECT_THAT(gone_message(kind, "pod x was gone"),
              testing::AllOf(HasSubstr("pod x was gone: it is not counted"),
                             HasSubstr("make another guest that names the participant with spec.seat")));
}

}  // namespace
}  // namespace konductor::runtime
