#include "kube/resource.hpp"

#include "kube/resource_version.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace konductor::kube {
namespace {

const Resource widgets{"example.com", "v1", "widgets"};
const Resource pods{"", "v1", "pods"};

TEST(Resource, makes_paths_of_all_shapes) {
  EXPECT_EQ(path_of(widgets, "team-a", "x", "status"), "/apis/example.com/v1/namespaces/team-a/widgets/x/status");
  EXPECT_EQ(path_of(widgets, "team-a", "x"), "/apis/example.com/v1/namespaces/team-a/widgets/x");
  EXPECT_EQ(path_of(widgets, "team-a"), "/apis/example.com/v1/namespaces/team-a/widgets");
  EXPECT_EQ(path_of(widgets, ""), "/apis/example.com/v1/widgets");
  EXPECT_EQ(path_of(pods, "team-a", "x"), "/api/v1/namespaces/team-a/pods/x");
  EXPECT_EQ(path_of(pods, "", "x"), "/api/v1/pods/x");
}

TEST(Resource, does_not_let_a_name_leave_its_place_in_the_path) {
  EXPECT_EQ(path_of(pods, "a/b", "../x?y#z"), "/api/v1/namespaces/a%2Fb/pods/..%2Fx%3Fy%23z");
}

TEST(Resource, is_named_as_kubectl_does) {
  EXPECT_EQ(to_string(widgets), "widgets.example.com");
  EXPECT_EQ(to_string(pods), "pods");
  EXPECT_EQ(to_string(NamespacedName{"team-a", "x"}), "team-a/x");
  EXPECT_EQ(to_string(NamespacedName{"", "x"}), "x");
}

TEST(Resource, accepts_dns_labels) {
  for (const std::string& name : {std::string("a"), std::string("a-1"), std::string("0"), std::string(63, 'x')}) {
    EXPECT_EQ(why_not_dns_label(name), "") << name;
  }
}

TEST(Resource, says_why_a_name_is_no_dns_label) {
  EXPECT_EQ(why_not_dns_label(""), "must not be empty");
  EXPECT_EQ(why_not_dns_label(std::string(64, 'x')), "must have at most 63 characters, it has 64");
  EXPECT_EQ(why_not_dns_label("aB"), "must consist of lower-case letters, digits and '-', it has \"B\"");
  EXPECT_EQ(why_not_dns_label("a b"), "must consist of lower-case letters, digits and '-', it has a space");
  EXPECT_EQ(why_not_dns_label("a\xc3\xa4"),
            "must consist of lower-case letters, digits and '-', it has something else");
  EXPECT_EQ(why_not_dns_label("-a"), "must start and end with a lower-case letter or a digit");
  EXPECT_EQ(why_not_dns_label("a-"), "must start and end with a lower-case letter or a digit");
}

TEST(Resource, tells_names_of_objects_from_what_no_object_can_be_called) {
  for (const std::string& name : {std::string("a"), std::string("train-3-x7k2p"), std::string("a.b-c.0"),
                                  std::string("1"), std::string(253, 'x')})
    EXPECT_TRUE(is_dns_subdomain(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("a/status"), std::string("."), std::string(".."), std::string("a..b"),
        std::string("a."), std::string(".a"), std::string("-a"), std::string("a-"), std::string("a-.b"),
        std::string("a.-b"), std::string("A"), std::string("a_b"), std::string("a%2Fb"), std::string("a b"),
        std::string("a\0b", 3), std::string(254, 'x')})
    EXPECT_FALSE(is_dns_subdomain(name)) << name;
}

TEST(ResourceVersion, is_a_plain_decimal_integer_or_nothing) {
  EXPECT_EQ(parse_resource_version("0"), std::uint64_t{0});
  EXPECT_EQ(parse_resource_version("481213"), std::uint64_t{481213});
  EXPECT_EQ(parse_resource_version("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "01", "0x1", "1a", "18446744073709551616", "1.0", "latest"}) {
    EXPECT_EQ(parse_resource_version(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace konductor::kube
