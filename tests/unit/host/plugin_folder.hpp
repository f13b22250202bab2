#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <string_view>

namespace konductor::host::testing {

/// A folder of its own for plugins, below the system's temporary one, so that it is trusted whoever runs the test.
class PluginFolder {
 public:
  PluginFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "konductor-plugins-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = std::filesystem::canonical(name);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
  ~PluginFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    const auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << bytes;
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    return file;
  }
  std::filesystem::path copy(const std::string& from, const std::string& name) const { return write(name, read(from)); }
  /// One of the zoo, under its own name.
  std::filesystem::path copy_bad(const std::string& name) const {
    return copy(std::string(BAD_PLUGINS) + "/" + name + ".so", name + ".so");
  }

  static std::string read(const std::string& from) {
    std::ifstream in(from, std::ios::binary);
    EXPECT_TRUE(in) << from;
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace konductor::host::testing
