#include "host/crd.hpp"
#include "host/declarations.hpp"
#include "lamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace konductor::host {
namespace {

using nlohmann::json;
using runtime::Place;
using ::testing::HasSubstr;

class ServedSchema : public ::testing::Test {
 protected:
  static json& schema(json& crd) { return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]; }
  static json& status(json& crd) { return schema(crd)["properties"]["status"]["properties"]; }

  testing::Lamp lamp;
  runtime::KindDeclaration kind = declare_kind(lamp.kind, "plugin lamps", [] { return runtime::MonoTime{}; }).value();
  json primitive = primitive_crd(kind);
  json claim = claim_crd(kind);
};

TEST_F(ServedSchema, is_accepted_as_composed) {
  EXPECT_EQ(why_not_served(primitive, kind, Place::primitive), "");
  EXPECT_EQ(why_not_served(claim, kind, Place::claim), "");
}

TEST_F(ServedSchema, is_accepted_with_more_than_composed) {
  status(primitive)["newer"] = {{"type", "string"}};
  schema(claim)["x-kubernetes-validations"].push_back({{"rule", "true"}, {"message", "m"}});
  EXPECT_EQ(why_not_served(primitive, kind, Place::primitive), "");
  EXPECT_EQ(why_not_served(claim, kind, Place::claim), "");
}

TEST_F(ServedSchema, is_refused_without_what_makes_grants_safe) {
  for (const char* lost : {"ledger", "state", "conditions"}) {
    json served = primitive;
    status(served).erase(lost);
    EXPECT_EQ(why_not_served(served, kind, Place::primitive),
              std::string("lamps.sync.konductor.io as served would lose status.") + lost +
                  "; apply what `konductor manifests` prints");
  }
  status(primitive)["ledger"]["properties"]["pending"]["items"]["properties"].erase("uid");
  EXPECT_THAT(why_not_served(primitive, kind, Place::primitive), HasSubstr("would lose status.ledger.pending[].uid"));
  status(claim).erase("primitiveUID");
  EXPECT_THAT(why_not_served(claim, kind, Place::claim),
              HasSubstr("switches.sync.konductor.io as served would lose status.primitiveUID"));
}

TEST_F(ServedSchema, is_refused_when_state_is_closed_or_a_type_differs) {
  json closed = primitive;
  status(closed)["state"].erase("x-kubernetes-preserve-unknown-fields");
  EXPECT_THAT(why_not_served(closed, kind, Place::primitive), HasSubstr("would lose status.state"));
  status(primitive)["ledger"]["properties"]["lastToken"]["type"] = "string";
  EXPECT_THAT(why_not_served(primitive, kind, Place::primitive), HasSubstr("would lose status.ledger.lastToken"));
}

TEST_F(ServedSchema, is_refused_without_any_one_of_the_rules_that_keep_what_was_granted) {
  const json::json_pointer parts[] = {json::json_pointer(""), json::json_pointer("/properties/spec"),
                                      json::json_pointer("/properties/status"),
                                      json::json_pointer("/properties/status/properties/phase"),
                                      json::json_pointer("/properties/spec/properties/holder")};
  for (const auto& part : parts) {
    json served = claim;
    schema(served)[part].erase("x-kubernetes-validations");
    EXPECT_THAT(why_not_served(served, kind, Place::claim), HasSubstr("lacks the rule")) << part;
  }
}

TEST_F(ServedSchema, is_refused_when_the_version_is_missing_or_nothing_is_there) {
  json other = primitive;
  other["spec"]["versions"][0]["name"] = "v2";
  json unserved = primitive;
  unserved["spec"]["versions"][0]["served"] = false;
  for (const json& served : {other, unserved, json::object(), json::array({1}), json(nullptr)}) {
    EXPECT_THAT(why_not_served(served, kind, Place::primitive), HasSubstr("does not serve version v1")) << served;
  }
  schema(primitive)["properties"] = 5;
  EXPECT_THAT(why_not_served(primitive, kind, Place::primitive), HasSubstr("has no schema that can be read"));
}

}  // namespace
}  // namespace konductor::host
