#include "io/config_loader.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace konductor::io {
namespace {

using testing::HasSubstr;

std::string kubeconfig(const std::string& server) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
         "clusters: [{name: c, cluster: {server: '" +
         server +
         "'}}]\n"
         "users: [{name: u, user: {token: t}}]\n"
         "contexts: [{name: one, context: {cluster: c, user: u, namespace: team-a}},"
         "{name: two, context: {cluster: c, user: u, namespace: team-b}}]\n";
}

class ConfigLoader : public testing::Test {
 protected:
  Result<kube::ClusterAccess> load(const ConfigOptions& options = {}) {
    Environment environment;
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    environment.read_file = [this](const std::string& path) -> Result<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return Error{Errc::not_found, "read " + path + ": no such file"};
      return found->second;
    };
    return load_config(options, environment);
  }
  std::string host_of(const ConfigOptions& options = {}) {
    const auto access = load(options);
    return access ? access->server.host : access.error().detail;
  }
  void in_pod() {
    variables_["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
    variables_["KUBERNETES_SERVICE_PORT"] = "443";
    files_["/var/run/secrets/kubernetes.io/serviceaccount/token"] = "abc";
    files_["/var/run/secrets/kubernetes.io/serviceaccount/namespace"] = "team-p\n";
  }

  std::map<std::string, std::string> variables_;
  std::map<std::string, std::string> files_;
};

TEST_F(ConfigLoader, takes_the_flag_before_the_variable_before_home_before_the_pod) {
  in_pod();
  EXPECT_EQ(host_of(), "10.0.0.1");
  variables_["HOME"] = "/home/me";
  EXPECT_EQ(host_of(), "10.0.0.1");
  files_["/home/me/.kube/config"] = kubeconfig("https://home");
  EXPECT_EQ(host_of(), "home");
  variables_["KUBECONFIG"] = "/env";
  files_["/env"] = kubeconfig("https://variable");
  EXPECT_EQ(host_of(), "variable");
  files_["/flag"] = kubeconfig("https://flag");
  EXPECT_EQ(host_of({.kubeconfig = "/flag", .context = {}}), "flag");
}

TEST_F(ConfigLoader, merges_the_files_of_a_list_that_exist) {
  variables_["KUBECONFIG"] = "/a::/b:/empty:/c";
  files_["/b"] = "contexts: [{name: mine, context: {cluster: c, user: u}}]\ncurrent-context: mine\n";
  files_["/empty"] = "";
  files_["/c"] = kubeconfig("https://c");
  EXPECT_EQ(host_of(), "c");
  EXPECT_EQ(load({.kubeconfig = {}, .context = "two"}).value().ns, "team-b");
  EXPECT_THAT(host_of({.kubeconfig = {}, .context = "none"}),
              HasSubstr("kubeconfig /b:/empty:/c: no context \"none\"; it has mine, one, two"));
}

TEST_F(ConfigLoader, takes_the_proxy_of_the_environment_unless_the_kubeconfig_names_one) {
  files_["/flag"] = kubeconfig("https://api.example");
  const ConfigOptions flag{.kubeconfig = "/flag", .context = {}};
  EXPECT_FALSE(load(flag).value().proxy);
  variables_["https_proxy"] = "lower:1";
  EXPECT_EQ(load(flag).value().proxy->origin, "http://lower:1");
  variables_["HTTPS_PROXY"] = "";
  EXPECT_EQ(load(flag).value().proxy->origin, "http://lower:1");
  variables_["HTTPS_PROXY"] = "socks5://upper:2";
  EXPECT_EQ(load(flag).value().proxy->origin, "socks5://upper:2");
  variables_["NO_PROXY"] = "other,.example";
  EXPECT_FALSE(load(flag).value().proxy);
  files_["/flag"] = kubeconfig("https://127.0.0.1', proxy-url: 'http://mine:3");
  EXPECT_EQ(load(flag).value().proxy->origin, "http://mine:3");
  variables_.clear();
  variables_["HTTPS_PROXY"] = "ftp://p";
  files_["/flag"] = kubeconfig("https://api.example");
  EXPECT_THAT(host_of(flag), HasSubstr("HTTPS_PROXY: a proxy of the scheme \"ftp\""));
}

TEST_F(ConfigLoader, does_not_pass_over_a_file_that_is_broken) {
  variables_["KUBECONFIG"] = "/a:/b";
  files_["/a"] = "{{{";
  files_["/b"] = kubeconfig("https://b");
  const auto access = load();
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, Errc::bad_config);
}

TEST_F(ConfigLoader, names_the_files_that_are_missing) {
  variables_["KUBECONFIG"] = "/a:/b";
  EXPECT_EQ(host_of(), "KUBECONFIG=/a:/b: no such file");
  const auto access = load({.kubeconfig = "/flag", .context = {}});
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, Errc::bad_config);
  EXPECT_EQ(access.error().detail, "kubeconfig: read /flag: no such file");
}

TEST_F(ConfigLoader, says_what_was_tried) {
  variables_["HOME"] = "/home/me";
  const auto access = load();
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code, Errc::bad_config);
  for (const char* word : {"--kubeconfig", "KUBECONFIG", "/home/me/.kube/config", "service account"}) {
    EXPECT_THAT(access.error().detail, HasSubstr(word));
  }
}

TEST_F(ConfigLoader, takes_the_context_that_is_asked_for) {
  files_["/flag"] = kubeconfig("https://flag");
  EXPECT_EQ(load({.kubeconfig = "/flag", .context = {}}).value().ns, "team-a");
  EXPECT_EQ(load({.kubeconfig = "/flag", .context = "two"}).value().ns, "team-b");
  EXPECT_FALSE(load({.kubeconfig = "/flag", .context = "three"}).has_value());
}

TEST_F(ConfigLoader, uses_the_service_account_of_a_pod) {
  in_pod();
  const auto access = load().value();
  EXPECT_EQ(access.server.port, 443);
  EXPECT_TRUE(access.server.tls);
  EXPECT_EQ(access.ns, "team-p");
  EXPECT_EQ(access.ca.file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
  EXPECT_EQ(access.token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
}

TEST_F(ConfigLoader, brackets_an_ipv6_service) {
  in_pod();
  variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(host_of(), "fd00::1");
}

TEST_F(ConfigLoader, names_a_token_that_is_not_there) {
  in_pod();
  files_.erase("/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_THAT(host_of(), HasSubstr("/var/run/secrets/kubernetes.io/serviceaccount/token"));
}

TEST_F(ConfigLoader, has_no_contexts_in_a_pod) {
  in_pod();
  EXPECT_THAT(host_of({.kubeconfig = {}, .context = "two"}), HasSubstr("no kubeconfig"));
}

}  // namespace
}  // namespace konductor::io
