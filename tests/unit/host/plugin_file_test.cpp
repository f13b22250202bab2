#include "host/plugin_file.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

using Type = PathFacts::Type;

struct Case {
  const char* name;
  std::vector<PathFacts> chain;
  std::string reason;  // empty: trusted
};
void PrintTo(const Case& test, std::ostream* out) {
  *out << test.name;
}

constexpr std::uint32_t me = 1000;
const PathFacts root = {"/", Type::directory, 0755, 0};

class TrustedFile : public ::testing::TestWithParam<Case> {};

TEST_P(TrustedFile, is_found_by_owner_and_mode) {
  EXPECT_EQ(why_not_trusted(GetParam().chain, me), GetParam().reason);
}

const Case cases[] = {
    {"of_root", {{"/l/x.so", Type::regular, 0644, 0}, {"/l", Type::directory, 0755, 0}, root}, ""},
    {"of_mine", {{"/l/x.so", Type::regular, 0700, me}, {"/l", Type::directory, 0700, me}, root}, ""},
    {"sticky_folder_of_root", {{"/tmp/x.so", Type::regular, 0600, me}, {"/tmp", Type::directory, 01777, 0}, root}, ""},
    {"sticky_folder_of_mine",
     {{"/t/x.so", Type::regular, 0600, me}, {"/t", Type::directory, 01777, me}, root},
     "/t is writable by others (mode 1777): chmod go-w"},
    {"writable_by_others",
     {{"/x/y.so", Type::regular, 0666, 0}, root},
     "/x/y.so is writable by others (mode 0666): chmod go-w"},
    {"writable_by_group",
     {{"/x/y.so", Type::regular, 0664, 0}, root},
     "/x/y.so is writable by its group (mode 0664): chmod go-w"},
    {"sticky_file",
     {{"/x/y.so", Type::regular, 01666, 0}, root},
     "/x/y.so is writable by others (mode 1666): chmod go-w"},
    {"folder_writable_by_others",
     {{"/x/y.so", Type::regular, 0644, 0}, {"/x", Type::directory, 0777, 0}, root},
     "/x is writable by others (mode 0777): chmod go-w"},
    {"far_folder_writable",
     {{"/x/l/y.so", Type::regular, 0644, 0},
      {"/x/l", Type::directory, 0755, 0},
      {"/x", Type::directory, 0775, 0},
      root},
     "/x is writable by its group (mode 0775): chmod go-w"},
    {"of_another",
     {{"/x/y.so", Type::regular, 0644, 1001}, root},
     "/x/y.so belongs to user 1001: it must belong to root or to user 1000"},
    {"folder_of_another",
     {{"/x/y.so", Type::regular, 0644, 0}, {"/x", Type::directory, 01755, 1001}, root},
     "/x belongs to user 1001: it must belong to root or to user 1000"},
    {"directory", {{"/x/y.so", Type::directory, 0755, 0}, root}, "/x/y.so is a directory, expected a file"},
    {"device", {{"/dev/y.so", Type::other, 0600, 0}, root}, "/dev/y.so is not a regular file"},
    {"nothing", {}, "there is no such file"},
};
INSTANTIATE_TEST_SUITE_P(PluginFile, TrustedFile, ::testing::ValuesIn(cases),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace konductor::host
