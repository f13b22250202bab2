#include "kube/kubeconfig.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace konductor::kube {
namespace {

constexpr const char* full = R"(apiVersion: v1
kind: Config
current-context: main
clusters:
- name: local
  cluster:
    server: https://127.0.0.1:6443/prefix/
    certificate-authority-data: Q0E=
    tls-server-name: kubernetes
- name: plain
  cluster: {server: "http://[::1]:8080", insecure-skip-tls-verify: true}
users:
- name: admin
  user:
    client-certificate: pki/admin.crt
    client-key-data: |
      S0
      VZ
- name: robot
  user: {token: abc.def, tokenFile: /var/run/token}
contexts:
- name: main
  context: {cluster: local, user: admin, namespace: team-a}
- name: other
  context: {cluster: plain, user: robot}
- name: anonymous
  context: {cluster: plain}
- name: no-cluster
  context: {cluster: gone, user: admin}
- name: no-user
  context: {cluster: local, user: gone}
)";

std::string text_with(const std::string& cluster, const std::string& user) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {" +
         cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

Result<ClusterAccess> access_of(const std::string& text, const std::string& context = {}) {
  auto file = parse_kubeconfig(text, "/home/u/.kube/config");
  if (!file) return file.error();
  return resolve(*file, context);
}

TEST(Kubeconfig, resolves_the_current_context) {
  const auto access = access_of(full);
  ASSERT_TRUE(access.has_value()) << access.error().detail;
  EXPECT_EQ(access->server, (ServerUrl{true, "127.0.0.1", 6443, "/prefix"}));
  EXPECT_EQ(access->ca.data, "CA");
  EXPECT_EQ(access->tls_server_name, "kubernetes");
  EXPECT_EQ(access->client_certificate.file, "/home/u/.kube/pki/admin.crt");
  EXPECT_EQ(access->client_key.data, "KEY");
  const std::string path = "kubeconfig /home/u/.kube/config: ";
  EXPECT_EQ(access->ca.field, path + "cluster \"local\": certificate-authority-data");
  EXPECT_EQ(access->client_certificate.field, path + "user \"admin\": client-certificate");
  EXPECT_EQ(access->client_key.field, path + "user \"admin\": client-key-data");
  EXPECT_EQ(access->ns, "team-a");
}

TEST(Kubeconfig, resolves_a_named_context) {
  const auto access = access_of(full, "other");
  ASSERT_TRUE(access.has_value()) << access.error().detail;
  EXPECT_EQ(access->server, (ServerUrl{false, "::1", 8080, ""}));
  EXPECT_TRUE(access->insecure_skip_tls_verify);
  EXPECT_EQ(access->token, "abc.def");
  EXPECT_EQ(access->token_file, "/var/run/token");
  EXPECT_EQ(access->ns, "default");
}

TEST(Kubeconfig, may_have_no_user) {
  const auto access = access_of(full, "anonymous");
  ASSERT_TRUE(access.has_value());
  EXPECT_TRUE(access->token.empty());
  EXPECT_TRUE(access->client_certificate.empty());
}

TEST(Kubeconfig, reads_json_too_and_keeps_relative_paths_without_a_folder) {
  const auto file =
      parse_kubeconfig(R"({"clusters":[{"name":"k","cluster":{"certificate-authority":"ca.crt"}}]})", "config");
  ASSERT_TRUE(file.has_value()) << file.error().detail;
  EXPECT_EQ(file->clusters.at("k").ca_file, "ca.crt");
}

TEST(Kubeconfig, says_what_is_missing_and_what_there_is) {
  const std::string start = "kubeconfig /home/u/.kube/config: ";
  const std::string all = "it has anonymous, main, no-cluster, no-user, other";
  EXPECT_EQ(access_of(full, "typo").error().detail, start + "no context \"typo\"; " + all);
  EXPECT_EQ(access_of(full, "no-cluster").error().detail,
            start + "no cluster \"gone\", which context \"no-cluster\" names; it has local, plain");
  EXPECT_EQ(access_of(full, "no-user").error().detail,
            start + "no user \"gone\", which context \"no-user\" names; it has admin, robot");
  EXPECT_EQ(access_of("contexts: [{name: a, context: {}}]").error().detail,
            start +
                "no current-context is set; choose a context (it has a), for example with kubectl config "
                "use-context NAME");
  EXPECT_EQ(access_of("current-context: a").error().detail, start + "no context \"a\"; it has none");
  for (const char* empty : {"", "# nothing\n", "{}"}) {
    EXPECT_EQ(access_of(empty).error().detail,
              start + "no current-context is set, and it has no contexts; is it empty?");
  }
}

TEST(Kubeconfig, says_where_the_file_is_wrong) {
  const struct {
    const char* text;
    const char* detail;
  } cases[] = {
      {"just text", "line 1, column 1: a kubeconfig must be a mapping"},
      {"- a", "line 1, column 1: a kubeconfig must be a mapping"},
      {"kind: Pod", "line 1, column 7: this is of kind \"Pod\", a kubeconfig is of kind Config"},
      {"clusters: {}", "line 1, column 11: clusters must be a list"},
      {"clusters:\n- 7", "line 2, column 3: an entry of clusters must be a mapping"},
      {"clusters:\n- cluster: {}", "line 2, column 3: an entry of clusters has no name"},
      {"users:\n- name: a\n  user: text", "line 3, column 9: user of \"a\" must be a mapping"},
      {"users:\n- name: a\n  user:\n    token: [1]", "line 4, column 12: token must be a text"},
      {"users: [{name: a}, {name: a}]", "line 1, column 20: two users have one name, \"a\""},
      {"clusters:\n- name: a\n  cluster:\n    insecure-skip-tls-verify: perhaps",
       "line 4, column 31: insecure-skip-tls-verify must be true or false"},
  };
  for (const auto& c : cases) {
    const auto file = parse_kubeconfig(c.text, "F");
    ASSERT_FALSE(file.has_value()) << c.text;
    EXPECT_EQ(file.error().code, Errc::bad_config);
    EXPECT_EQ(file.error().detail, "kubeconfig F: " + std::string(c.detail));
  }
  const auto malformed = parse_kubeconfig("a: b\nc: [", "F");
  ASSERT_FALSE(malformed.has_value());
  EXPECT_EQ(malformed.error().detail, "kubeconfig F: line 2, column 1: not YAML: end of sequence flow not found");
  EXPECT_EQ(parse_kubeconfig(std::string(5 << 20, 'a'), "F").error().detail,
            "kubeconfig F: the file has more than 4 MiB");
}

TEST(Kubeconfig, says_which_entry_cannot_be_used) {
  const std::string good = "server: https://h";
  const struct {
    std::string cluster;
    std::string user;
    const char* detail;
  } cases[] = {
      {good, "auth-provider: {name: x}",
       "user \"u\": auth-provider is not supported: use a client certificate, a token, a tokenFile or an exec plugin"},
      {good, "username: a, password: b",
       "user \"u\": username, password are not supported: use a client certificate, a token, a tokenFile or an exec "
       "plugin"},
      {good, "exec: {apiVersion: client.authentication.k8s.io/v1}", "user \"u\": exec has no command"},
      {good, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "user \"u\": exec has the apiVersion \"client.authentication.k8s.io/v1alpha1\"; known are "
       "client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1"},
      {good, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1}",
       "user \"u\": exec has no interactiveMode: Never, IfAvailable or Always"},
      {good, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1, interactiveMode: Maybe}",
       "user \"u\": exec has the interactiveMode \"Maybe\"; known are Never, IfAvailable and Always"},
      {good, "client-certificate: a", "user \"u\": it has a client-certificate and no client-key"},
      {good, "client-key: a", "user \"u\": it has a client-key and no client-certificate"},
      {good, "token: \"a\\r\\nHost: b\"", "user \"u\": its token has white space or control characters"},
      {good, "client-certificate-data: '%', client-key: a", "user \"u\": client-certificate-data: this is not base64"},
      {good, "client-certificate: a, client-key-data: x", "user \"u\": client-key-data: this is not base64"},
      {good + ", certificate-authority-data: x", "", "cluster \"k\": certificate-authority-data: this is not base64"},
      {good + ", proxy-url: 'ftp://p'", "",
       "cluster \"k\": proxy-url: a proxy of the scheme \"ftp\"; known are http, https and socks5"},
      {good + ", insecure-skip-tls-verify: true, certificate-authority: ca", "",
       "cluster \"k\": insecure-skip-tls-verify and a certificate-authority exclude each other"},
      {"", "", "cluster \"k\": it has no server"},
  };
  for (const auto& c : cases) {
    const auto access = access_of(text_with(c.cluster, c.user));
    ASSERT_FALSE(access.has_value()) << c.detail;
    EXPECT_EQ(access.error().code, Errc::bad_config);
    EXPECT_EQ(access.error().detail, "kubeconfig /home/u/.kube/config: " + std::string(c.detail));
  }
}

constexpr const char* with_exec = R"(users:
- name: cloud
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/login
      args: [get-token, --json]
      env: [{name: PROFILE, value: dev}, {name: EMPTY}]
      installHint: get it from the shelf
      provideClusterInfo: true
- name: bare
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Never}}
- name: both
  user: {token: t, exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Always}}
- name: old
  user: {exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: login}}
clusters: [{name: k, cluster: {server: "https://h"}}]
contexts:
- {name: cloud, context: {cluster: k, user: cloud}}
- {name: bare, context: {cluster: k, user: bare}}
- {name: both, context: {cluster: k, user: both}}
)";

TEST(Kubeconfig, reads_exec_plugins) {
  const auto cloud = access_of(with_exec, "cloud").value().exec.value();
  EXPECT_EQ(cloud.api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_EQ(cloud.command, "/home/u/.kube/bin/login") << "relative to its own file";
  EXPECT_EQ(cloud.args, (std::vector<std::string>{"get-token", "--json"}));
  EXPECT_EQ(cloud.env, (std::vector<std::string>{"PROFILE=dev", "EMPTY="}));
  EXPECT_EQ(cloud.install_hint, "get it from the shelf");
  EXPECT_TRUE(cloud.provide_cluster_info);
  EXPECT_EQ(cloud.interaction, Interaction::if_available);
  EXPECT_EQ(cloud.field, "kubeconfig /home/u/.kube/config: user \"cloud\"");
  const auto bare = access_of(with_exec, "bare").value().exec.value();
  EXPECT_EQ(bare.command, "login") << "of PATH";
  EXPECT_EQ(bare.interaction, Interaction::never);
  EXPECT_FALSE(access_of(with_exec, "both").value().exec) << "a token at hand is used";
}

TEST(Kubeconfig, tells_exec_plugins_the_extension_of_their_name_as_json) {
  const auto config_of = [](const std::string& extension) {
    return access_of(text_with("server: 'https://h', extensions: [{name: other, extension: 1}, {name: "
                               "client.authentication.k8s.io/exec, extension: " +
                                   extension + "}]",
                               "token: t"))
        .value()
        .exec_config;
  };
  EXPECT_EQ(config_of("{b: [1, -2.5, true, no, null, ~], a: {text: x, quoted: '1', empty: ''}}"),
            R"({"a":{"empty":"","quoted":"1","text":"x"},"b":[1,-2.5,true,false,null,null]})");
  EXPECT_EQ(config_of("plain words"), R"("plain words")");
  EXPECT_EQ(config_of("null"), "");
  EXPECT_EQ(config_of("[[[[]]]]"), "[[[[]]]]");
  EXPECT_FALSE(access_of(text_with("server: 'https://h', extensions: [{name: client.authentication.k8s.io/exec, "
                                   "extension: " +
                                       std::string(60, '[') + std::string(60, ']') + "}]",
                                   ""))
                   .has_value());
  EXPECT_EQ(access_of(text_with("server: 'https://h', extensions: [x]", "")).value().exec_config, "");
}

TEST(Kubeconfig, says_where_an_exec_is_wrong) {
  const struct {
    const char* exec;
    const char* detail;
  } cases[] = {
      {"[]", "exec must be a mapping"},
      {"{args: x}", "args must be a list"},
      {"{args: [{}]}", "an argument of exec must be a text"},
      {"{env: {}}", "env must be a list"},
      {"{env: [x]}", "an entry of env must be a mapping"},
      {"{env: [{value: x}]}", "an entry of env has no name, or one with a '='"},
      {"{env: [{name: 'a=b'}]}", "an entry of env has no name, or one with a '='"},
  };
  for (const auto& c : cases) {
    const auto file = parse_kubeconfig("users: [{name: u, user: {exec: " + std::string(c.exec) + "}}]", "F");
    ASSERT_FALSE(file.has_value()) << c.exec;
    EXPECT_THAT(file.error().detail, testing::EndsWith(c.detail));
  }
}

KubeconfigFile parsed(const std::string& text, const std::string& path) {
  return parse_kubeconfig(text, path).value();
}

TEST(MergedKubeconfig, takes_what_is_named_first_and_as_a_whole) {
  const std::string first =
      "current-context: c\nclusters: [{name: k, cluster: {server: 'https://first', certificate-authority: ca.crt}}]\n"
      "users: [{name: u, user: {token: one}}]";
  const std::string second =
      "current-context: d\nclusters: [{name: k, cluster: {server: 'https://second', tls-server-name: s}},"
      "{name: l, cluster: {server: 'https://l', certificate-authority: ca.crt}}]\n"
      "users: [{name: u, user: {tokenFile: t}}, {name: v, user: {tokenFile: t}}]\n"
      "contexts: [{name: c, context: {cluster: k, user: u}}, {name: d, context: {cluster: l, user: v}}]";
  const auto merged = merge_kubeconfigs({parsed(first, "/a/one"), parsed(second, "/b/two")});
  const auto c = resolve(merged, "").value();
  EXPECT_EQ(c.server.host, "first");
  EXPECT_EQ(c.tls_server_name, "") << "nothing of the second's cluster";
  EXPECT_EQ(c.ca.file, "/a/ca.crt");
  EXPECT_EQ(c.ca.field, "kubeconfig /a/one: cluster \"k\": certificate-authority");
  EXPECT_EQ(c.token, "one");
  EXPECT_EQ(c.token_file, "");
  const auto d = resolve(merged, "d").value();
  EXPECT_EQ(d.ca.file, "/b/ca.crt") << "relative to its own file";
  EXPECT_EQ(d.token_file, "/b/t");
  EXPECT_EQ(resolve(merged, "e").error().detail, "kubeconfig /a/one:/b/two: no context \"e\"; it has c, d");
}

// Merging does not depend on how a list is cut, and one file is itself.
TEST(MergedKubeconfig, is_associative) {
  const auto a = parsed("current-context: x\nusers: [{name: u, user: {token: a}}]", "a");
  const auto b =
      parsed("contexts: [{name: x, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {token: b}}]", "b");
  const auto c = parsed("clusters: [{name: k, cluster: {server: 'https://c'}}]\ncurrent-context: y", "c");
  const auto token_and_server = [](const KubeconfigFile& file) {
    const auto access = resolve(file, "").value();
    return access.token + "@" + access.server.host + " of " + file.path;
  };
  EXPECT_EQ(token_and_server(merge_kubeconfigs({a, b, c})), "a@c of a:b:c");
  EXPECT_EQ(token_and_server(merge_kubeconfigs({merge_kubeconfigs({a, b}), c})), "a@c of a:b:c");
  EXPECT_EQ(token_and_server(merge_kubeconfigs({a, merge_kubeconfigs({b, c})})), "a@c of a:b:c");
  EXPECT_EQ(merge_kubeconfigs({a}).current_context, "x");
}

TEST(ServerUrl, has_scheme_host_port_and_prefix) {
  EXPECT_EQ(parse_server_url("https://h", "c").value(), (ServerUrl{true, "h", 443, ""}));
  EXPECT_EQ(parse_server_url("HTTP://h/", "c").value(), (ServerUrl{false, "h", 80, ""}));
  EXPECT_EQ(parse_server_url("https://h.example:65535/a/b", "c").value(),
            (ServerUrl{true, "h.example", 65535, "/a/b"}));
  EXPECT_EQ(parse_server_url("https://[fd00::1]", "c").value(), (ServerUrl{true, "fd00::1", 443, ""}));
}

TEST(ServerUrl, says_what_is_wrong) {
  EXPECT_EQ(parse_server_url("h:6443", "c").error().detail, "c: server \"h:6443\" must start with https:// or http://");
  EXPECT_EQ(parse_server_url("https://admin:S3cret@h:6443", "c").error().detail,
            "c: server \"h:6443\": a user or password in it is not supported");
  EXPECT_EQ(parse_server_url("https://h:0", "c").error().detail,
            "c: server \"https://h:0\" has no port from 1 to 65535 after its ':'");
  for (const char* url : {"https://", "https://:6443", "https://u:p@h", "https://h:65536", "https://h:", "https://h:x",
                          "https://[::1", "https://[]", "https://[::1]x", "https://::1", "https://[h]", "https://h?q",
                          "https://h/a?b", "https://h/a b", "https://h/\r\nx", "https://h\n", "ftp://h"}) {
    const auto server = parse_server_url(url, "c");
    ASSERT_FALSE(server.has_value()) << url;
    EXPECT_EQ(server.error().code, Errc::bad_config);
  }
}

TEST(Kubeconfig, refuses_an_extension_that_aliases_blow_up) {
  // A few hundred bytes that stand for two to the power of forty values.
  std::string text = "x0: &x0 [1, 1]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*x" + std::to_string(i - 1);
    text += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  text += "clusters: [{name: c, cluster: {extensions: [{name: client.authentication.k8s.io/exec, extension: *x39}]}}]";
  const auto file = parse_kubeconfig(text, "F");
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().detail, testing::HasSubstr("this extension can't be told to an exec plugin"));
}

TEST(Kubeconfig, survives_any_text) {
  std::mt19937 random(6);
  int good = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto access = access_of(mutated(full, random));
    good += access ? 1 : 0;
    EXPECT_TRUE(access || access.error().code == Errc::bad_config);
  }
  EXPECT_GT(good, 30);
  for (const char* text : {"a: &a [*a]", "&a a: *a", "%YAML 9\n---\n", "---\n---\n", "? [a]\n: b", "!!binary x",
                           "\xff\xfe", "clusters: &c [{name: x, cluster: *c}]"}) {
    const auto file = parse_kubeconfig(text, "F");
    EXPECT_TRUE(file || file.error().code == Errc::bad_config) << text;
  }
  EXPECT_FALSE(parse_kubeconfig(std::string(100'000, '['), "F").has_value());
}

}  // namespace
}  // namespace konductor::kube
