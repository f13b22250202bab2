#include "host/plugin_library.hpp"

#include "plugin_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <dlfcn.h>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::PluginFolder;

const MonoClock of_thread = [] {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return runtime::MonoTime{std::chrono::seconds{now.tv_sec} + std::chrono::microseconds{now.tv_nsec / 1000}};
};

std::string reason_of(const fs::path& file, const fs::path& folder) {
  const auto loaded = load_plugin(file, folder, of_thread);
  if (loaded) return "";
  EXPECT_EQ(loaded.error().code, Errc::plugin_incompatible);
  return loaded.error().detail;
}

TEST(PluginLibrary, opens_a_plugin_in_plain_c) {
  PluginFolder folder;
  const auto file = folder.copy(MINIMAL_PLUGIN, "minimal.so");
  const auto loaded = load_plugin(file, folder.path(), of_thread);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->file, file);
  EXPECT_EQ(loaded->declaration.name, "minimal");
  ASSERT_EQ(loaded->declaration.kinds.size(), 1U);
  const auto& hook = loaded->declaration.kinds[0];
  EXPECT_EQ(hook.names.kind, "Hook");

  std::vector<runtime::ClaimFacts> claims(3);
  runtime::Observation observation;
  observation.spec = R"({"pegs":2})";
  observation.max_grants = 10;
  observation.claims = claims;
  const auto plan = hook.decide(observation);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(plan->verdicts.size(), 2U);
  EXPECT_EQ(plan->status, R"({"used": 2})");
  observation.spec = R"({"pegs":"many"})";
  EXPECT_EQ(hook.decide(observation).error().code, Errc::invalid);
}

TEST(PluginLibrary, follows_a_link_inside_the_folder) {
  PluginFolder folder;
  fs::create_directory(folder.path() / "versions");
  folder.copy(MINIMAL_PLUGIN, "versions/minimal.so");
  fs::create_symlink("versions/minimal.so", folder.path() / "minimal.so");
  EXPECT_EQ(reason_of(folder.path() / "minimal.so", folder.path()), "");
}

struct Bad {
  const char* name;
  const char* reason;
};
void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.name;
}

class BadPlugin : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPlugin, is_refused_by_name_with_its_reason) {
  PluginFolder folder;
  const auto file = folder.copy_bad(GetParam().name);
  EXPECT_THAT(reason_of(file, folder.path()), ::testing::StartsWith(file.string() + " " + GetParam().reason));
}

const Bad zoo[] = {
    {"wrong-major", "is of plugin ABI 7, expected 1"},
    {"newer-minor", "needs a host of plugin ABI 1.999 or later, this one has 1.0"},
    {"two-names", "disagrees with itself: its note says plugin two-names 1.0.0, its symbol another"},
    {"misnamed", "says that it is the plugin \"another\", expected \"misnamed\" as its file name says"},
    {"no-note", "is a shared library without a Konductor note: not a plugin"},
    {"no-symbol", "does not export konductor_plugin_v1"},
    {"small-kind", "is refused: plugin small-kind: kind: struct_size 64 is too small"},
    {"throws", "has a static constructor that throws: no lamp today"},
    {"exits", "has a static constructor that ends the process"},
    {"crashes", "has a static constructor that crashes (Aborted)"},
};
INSTANTIATE_TEST_SUITE_P(Zoo, BadPlugin, ::testing::ValuesIn(zoo), [](const auto& test) {
  std::string name = test.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(PluginLibrary, can_open_others_after_one_whose_constructor_throws) {
  PluginFolder folder;
  const auto bad = folder.copy_bad("throws");
  const auto good = folder.copy(MINIMAL_PLUGIN, "minimal.so");
  for (int round = 0; round < 3; ++round) {
    EXPECT_NE(reason_of(bad, folder.path()), "");
    EXPECT_EQ(reason_of(good, folder.path()), "");
  }
  EXPECT_EQ(::dlopen("/nowhere.so", RTLD_NOW), nullptr) << "the loader itself still answers";
}

TEST(PluginLibrary, refuses_files_that_are_no_plugins) {
  PluginFolder folder;
  const auto good = PluginFolder::read(MINIMAL_PLUGIN);
  auto patched = good;
  patched[4] = 1;
  const auto reason = [&](const std::string& name) { return reason_of(folder.path() / name, folder.path()); };
  folder.write("truncated.so", good.substr(0, good.size() / 2));
  folder.write("narrow.so", patched);
  folder.write("text.so", "this is a text\n");
  folder.write("empty.so", "");
  fs::create_directory(folder.path() / "folder.so");
  fs::create_symlink("nowhere.so", folder.path() / "dangling.so");
  EXPECT_THAT(reason("truncated.so"), HasSubstr("truncated.so is truncated"));
  EXPECT_THAT(reason("narrow.so"), HasSubstr("narrow.so is a 32-bit file"));
  EXPECT_THAT(reason("text.so"), HasSubstr("text.so is not an ELF file"));
  EXPECT_THAT(reason("empty.so"), HasSubstr("empty.so is empty"));
  EXPECT_THAT(reason("folder.so"), HasSubstr("folder.so is a directory, expected a file"));
  EXPECT_THAT(reason("dangling.so"), HasSubstr("dangling.so cannot be resolved: No such file"));
  EXPECT_THAT(reason("missing.so"), HasSubstr("missing.so cannot be resolved: No such file"));
}

TEST(PluginLibrary, refuses_a_link_to_elsewhere) {
  PluginFolder folder, elsewhere;
  const auto target = elsewhere.copy(MINIMAL_PLUGIN, "minimal.so");
  fs::create_symlink(target, folder.path() / "minimal.so");
  EXPECT_THAT(reason_of(folder.path() / "minimal.so", folder.path()),
              HasSubstr("minimal.so is a symbolic link to " + target.string() + ", outside of the plugin folder"));
}

TEST(PluginLibrary, refuses_what_others_can_write) {
  PluginFolder folder;
  const auto file = folder.copy(MINIMAL_PLUGIN, "minimal.so");
  fs::permissions(file, fs::perms(0666));
  EXPECT_EQ(reason_of(file, folder.path()), file.string() + " is writable by others (mode 0666): chmod go-w");
  fs::permissions(file, fs::perms(0644));
  fs::permissions(folder.path(), fs::perms(0777));
  EXPECT_EQ(reason_of(file, folder.path()), folder.path().string() + " is writable by others (mode 0777): chmod go-w");
}

std::string quarantine_of(const std::string& name) {
  PluginFolder folder;
  const auto loaded = load_plugin(folder.copy_bad(name), folder.path(), of_thread);
  if (!loaded) return loaded.error().detail;
  runtime::Observation observation;
  observation.ns = "home";
  observation.name = "desk";
  observation.max_grants = 1;
  const auto plan = loaded->declaration.kinds.at(0).decide(observation);
  if (plan) return "no reason";
  EXPECT_EQ(plan.error().code, Errc::plugin_incompatible);
  return plan.error().detail;
}

TEST(PluginLibrary, quarantines_bad_decisions) {
  EXPECT_EQ(quarantine_of("out-of-range"),
            "plugin out-of-range: kind Lamp: a decision on home/desk breaks the contract: gives a verdict on claim "
            "1000000000 of 0");
  EXPECT_THAT(quarantine_of("garbage"), HasSubstr("breaks the contract: state is not JSON"));
}

TEST(PluginLibrary, quarantines_a_decision_of_more_than_a_second) {
  EXPECT_THAT(quarantine_of("slow"), HasSubstr("a decision on home/desk took 1.5 s, more than 1.0 s"));
}

}  // namespace
}  // namespace konductor::host
