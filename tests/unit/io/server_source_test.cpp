#include "io/server_source.hpp"

#include "tests/support/tls_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::read_text;

constexpr runtime::MonoTime start{1h};

/// Files that a test changes, with real certificates in them.
class Rotation : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<tests::TemporaryFolder>();
    for (const char* name : {"one", "two"}) tests::make_certificate(folder_->path(), name, "", "");
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::string certificate(const std::string& name) { return read_text(folder_->path() / (name + ".crt")); }
  static std::string key(const std::string& name) { return read_text(folder_->path() / (name + ".key")); }

  Rotation() {
    access_.server.host = "h";
    access_.ca = {.data = {}, .file = "/ca", .field = "ca"};
    access_.client_certificate = {.data = {}, .file = "/crt", .field = "crt"};
    access_.client_key = {.data = {}, .file = "/key", .field = "key"};
    files_ = {{"/ca", certificate("one")}, {"/crt", certificate("one")}, {"/key", key("one")}};
  }
  Result<ServerSource> load() {
    Environment environment;
    environment.read_file = [this](const std::string& path) -> Result<std::string> {
      ++readings_;
      const auto found = files_.find(path);
      if (found == files_.end()) return Error{Errc::not_found, "read " + path + ": no such file"};
      return found->second;
    };
    return ServerSource::load(access_, environment, start);
  }

  static inline std::unique_ptr<tests::TemporaryFolder> folder_;
  kube::ClusterAccess access_;
  std::map<std::string, std::string> files_;
  int readings_ = 0;
};

TEST_F(Rotation, is_seen_within_ten_seconds) {
  auto source = load().value();
  const auto first = source.server(start);
  files_["/crt"] = certificate("two");
  files_["/key"] = key("two");
  EXPECT_EQ(source.server(start + 9999ms), first);
  EXPECT_EQ(readings_, 3);
  const auto second = source.server(start + 10s);
  EXPECT_NE(second, first);
  EXPECT_EQ(source.settings().key.text, key("two"));
  EXPECT_EQ(source.server(start + 20s), second) << "the same files are the same server";
  files_["/ca"] = certificate("two");
  EXPECT_NE(source.server(start + 30s), second);
}

TEST_F(Rotation, is_seen_at_once_after_a_refusal) {
  auto source = load().value();
  const auto first = source.server(start);
  EXPECT_FALSE(source.renew(first, start + 1s)) << "nothing else to be tried";
  files_["/crt"] = certificate("two");
  files_["/key"] = key("two");
  EXPECT_TRUE(source.renew(first, start + 1s));
  EXPECT_NE(source.server(start + 1s), first);
  EXPECT_TRUE(source.renew(first, start + 1s)) << "one who was sent with the old ones, and was refused later";
}

TEST_F(Rotation, keeps_the_old_pair_until_the_new_one_is_whole) {
  auto source = load().value();
  const auto first = source.server(start);
  const auto half_written = certificate("two").substr(0, 100);
  for (const auto& wrong : {certificate("two"), half_written, std::string()}) {
    files_["/crt"] = wrong;
    EXPECT_EQ(source.server(start + 10s), first);
    EXPECT_FALSE(source.renew(first, start + 10s));
  }
  files_.erase("/crt");
  EXPECT_EQ(source.server(start + 20s), first);
  files_["/crt"] = certificate("two");
  files_["/key"] = key("two");
  EXPECT_EQ(source.server(start + 20900ms), first);
  EXPECT_NE(source.server(start + 21s), first) << "tried again after a second";
}

TEST_F(Rotation, needs_a_whole_pair_to_start_with) {
  files_["/key"] = key("two");
  EXPECT_THAT(load().error().detail, HasSubstr("does not match the certificate"));
}

TEST_F(Rotation, does_not_read_where_there_are_no_files) {
  access_.ca = {.data = certificate("one"), .file = {}, .field = "ca"};
  access_.client_certificate = {};
  access_.client_key = {};
  auto source = load().value();
  const auto first = source.server(start);
  EXPECT_FALSE(source.renew(first, start + 1h));
  EXPECT_EQ(source.server(start + 1h), first);
  EXPECT_EQ(readings_, 0);
}

TEST_F(Rotation, takes_the_certificate_of_an_exec_plugin_and_keeps_it_when_the_ca_changes) {
  access_.client_certificate = {};
  access_.client_key = {};
  auto source = load().value();
  const auto first = source.server(start);
  kube::ExecPlugin plugin;
  plugin.command = "login";
  kube::ExecCredential credential;
  credential.token = "only this";
  ASSERT_TRUE(source.identify(credential, plugin, start).has_value());
  EXPECT_EQ(source.server(start), first);
  credential.certificate = certificate("two");
  credential.key = key("one");
  EXPECT_THAT(source.identify(credential, plugin, start).error().detail,
              HasSubstr("the exec plugin login: clientKeyData"));
  EXPECT_EQ(source.server(start), first);
  credential.key = key("two");
  ASSERT_TRUE(source.identify(credential, plugin, start).has_value());
  const auto second = source.server(start);
  EXPECT_NE(second, first);
  ASSERT_TRUE(source.identify(credential, plugin, start).has_value());
  EXPECT_EQ(source.server(start), second) << "the same is no change";
  files_["/ca"] = certificate("two");
  EXPECT_NE(source.server(start + 10s), second);
  EXPECT_EQ(source.settings().certificate.text, certificate("two"));
  credential.certificate.clear();
  credential.key.clear();
  ASSERT_TRUE(source.identify(credential, plugin, start + 11s).has_value());
  EXPECT_TRUE(source.settings().certificate.text.empty()) << "who has only a token now is nobody else by a certificate";
}

}  // namespace
}  // namespace konductor::io
