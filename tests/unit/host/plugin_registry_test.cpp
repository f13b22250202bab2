#include "host/plugin_registry.hpp"

#include "plugin_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PluginFolder;

const MonoClock still = [] { return runtime::MonoTime{}; };

std::vector<std::string> names(const PluginRegistry& registry) {
  std::vector<std::string> found;
  for (const auto& plugin : registry.loaded) found.push_back(plugin.declaration.name);
  return found;
}

TEST(PluginRegistry, loads_the_good_and_names_the_bad) {
  PluginFolder folder;
  folder.copy(MINIMAL_PLUGIN, "minimal.so");
  folder.copy_bad("wrong-major");
  folder.copy_bad("throws");
  folder.copy_bad("garbage");
  folder.write("notes.txt", "no plugin, and not looked at");
  fs::create_directory(folder.path() / "a.so");
  const std::vector<fs::path> folders = {folder.path()};
  const auto registry = load_plugins(folders, still);
  ASSERT_TRUE(registry) << registry.error().detail;
  EXPECT_THAT(names(*registry), ElementsAre("garbage", "minimal"));
  ASSERT_EQ(registry->refused.size(), 3U);
  EXPECT_THAT(registry->refused[0].reason, HasSubstr("a.so is a directory"));
  EXPECT_THAT(registry->refused[1].reason, HasSubstr("no lamp today"));
  EXPECT_EQ(registry->refused[2].file, folder.path() / "wrong-major.so");
  EXPECT_THAT(registry->refused[2].reason, HasSubstr("expected 1"));
  ASSERT_EQ(registry->kinds().size(), 2U);
  EXPECT_EQ(registry->kinds()[1].names.kind, "Hook");
}

TEST(PluginRegistry, refuses_the_later_of_two_plugins_that_share_a_name) {
  PluginFolder first, second;
  first.copy_bad("garbage");
  first.copy_bad("out-of-range");
  first.copy(MINIMAL_PLUGIN, "minimal.so");
  second.copy(MINIMAL_PLUGIN, "minimal.so");
  const std::vector<fs::path> folders = {first.path(), second.path()};
  const auto registry = load_plugins(folders, still);
  ASSERT_TRUE(registry) << registry.error().detail;
  EXPECT_THAT(names(*registry), ElementsAre("garbage", "minimal"));
  ASSERT_EQ(registry->refused.size(), 2U);
  EXPECT_THAT(registry->refused[0].reason, HasSubstr("the name \"lamps\" of Lamp is taken by Lamp of plugin garbage"));
  EXPECT_THAT(registry->refused[1].reason,
              HasSubstr("the plugin minimal is already loaded from " + first.path().string()));
}

TEST(PluginRegistry, is_an_error_when_a_folder_cannot_be_read) {
  PluginFolder folder;
  const auto file = folder.write("file", "");
  for (const auto& path : {folder.path() / "missing", file}) {
    const std::vector<fs::path> folders = {path};
    const auto registry = load_plugins(folders, still);
    ASSERT_FALSE(registry);
    EXPECT_EQ(registry.error().code, Errc::bad_config);
    EXPECT_THAT(registry.error().detail, HasSubstr("cannot read the plugin folder " + path.string()));
  }
}

TEST(PluginRegistry, finds_its_folders) {
  const std::vector<std::string> none, flags = {"/a", "/b"};
  EXPECT_THAT(plugin_folders(flags, "/c", "/usr/bin/x"), ElementsAre("/a", "/b"));
  EXPECT_THAT(plugin_folders(none, "/c::/d", "/usr/bin/x"), ElementsAre("/c", "/d"));
  EXPECT_THAT(plugin_folders(none, "", "/usr/bin/x"), ElementsAre("/usr/lib/konductor/1"));
  EXPECT_THAT(plugin_folders(none, "", "/src/build/bin/x"), ElementsAre("/src/build/lib/konductor/1"));
}

}  // namespace
}  // namespace konductor::host
