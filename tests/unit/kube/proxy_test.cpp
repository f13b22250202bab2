#include "kube/proxy.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace konductor::kube {
namespace {

using testing::HasSubstr;

TEST(ProxyUrl, has_a_scheme_a_place_and_perhaps_a_user) {
  const struct {
    const char* url;
    Proxy::Kind kind;
    const char* host;
    int port;
    const char* user;
    const char* password;
    const char* origin;
  } cases[] = {
      {"http://p:3128", Proxy::Kind::http, "p", 3128, "", "", "http://p:3128"},
      {"p:3128", Proxy::Kind::http, "p", 3128, "", "", "http://p:3128"},
      {"p", Proxy::Kind::http, "p", 80, "", "", "http://p:80"},
      {" HTTP://p.example/ ", Proxy::Kind::http, "p.example", 80, "", "", "http://p.example:80"},
      {"https://p", Proxy::Kind::https, "p", 443, "", "", "https://p:443"},
      {"socks5://p", Proxy::Kind::socks5, "p", 1080, "", "", "socks5://p:1080"},
      {"socks5h://[::1]:9", Proxy::Kind::socks5, "::1", 9, "", "", "socks5://[::1]:9"},
      {"http://u:s3cret@p:1", Proxy::Kind::http, "p", 1, "u", "s3cret", "http://p:1"},
      {"u@p:1", Proxy::Kind::http, "p", 1, "u", "", "http://p:1"},
      {"http://a%40b:c%3Ad%25@p", Proxy::Kind::http, "p", 80, "a@b", "c:d%", "http://p:80"},
      {"http://u:p@w@p", Proxy::Kind::http, "p", 80, "u", "p@w", "http://p:80"},
  };
  for (const auto& c : cases) {
    const auto proxy = parse_proxy_url(c.url, "X");
    ASSERT_TRUE(proxy.has_value()) << c.url << ": " << proxy.error().detail;
    EXPECT_EQ(proxy->kind, c.kind) << c.url;
    EXPECT_EQ(proxy->host, c.host);
    EXPECT_EQ(proxy->port, c.port);
    EXPECT_EQ(proxy->user, c.user);
    EXPECT_EQ(proxy->password, c.password);
    EXPECT_EQ(proxy->origin, c.origin);
  }
}

TEST(ProxyUrl, says_what_is_wrong_and_shows_no_password) {
  for (const char* url :
       {"", "http://", "http://p:0", "http://p:x", "http://u:s3cret@", "http://u:s3cret@p:99999", "http://u:s3cret%4@p",
        "http://u:s3cret%zz@p", "ftp://u:s3cret@p", "http://p\r\nx", "http://a b"}) {
    const auto proxy = parse_proxy_url(url, "HTTPS_PROXY");
    ASSERT_FALSE(proxy.has_value()) << url;
    EXPECT_EQ(proxy.error().code, Errc::bad_config);
    EXPECT_THAT(proxy.error().detail, testing::StartsWith("HTTPS_PROXY: ")) << url;
    EXPECT_THAT(proxy.error().detail, testing::Not(HasSubstr("s3cret"))) << url;
  }
}

// What golang.org/x/net/http/httpproxy documents.
TEST(NoProxy, is_a_list_of_names_addresses_and_networks) {
  const struct {
    const char* no_proxy;
    const char* host;
    int port;
    bool exempt;
  } cases[] = {
      {"", "api.example", 443, false},
      {"*", "api.example", 443, true},
      {"other,*", "10.0.0.1", 443, true},
      // A name is itself and all below it.
      {"example", "example", 443, true},
      {"example", "api.example", 443, true},
      {"example", "notexample", 443, false},
      {"api.example", "example", 443, false},
      {"EXAMPLE", "api.Example", 443, true},
      // With a dot before it only what is below.
      {".example", "example", 443, false},
      {".example", "api.example", 443, true},
      {"*.example", "api.example", 443, true},
      {"*.example", "example", 443, false},
      // A port binds it to that port.
      {"example:443", "example", 443, true},
      {"example:443", "example", 6443, false},
      {".example:6443", "api.example", 6443, true},
      {"example:", "example", 443, true},
      {"example:http", "example", 80, false},
      // Addresses, as addresses.
      {"10.0.0.1", "10.0.0.1", 443, true},
      {"10.0.0.1", "10.0.0.11", 443, false},
      {"10.0.0.1:6443", "10.0.0.1", 6443, true},
      {"10.0.0.1:6443", "10.0.0.1", 443, false},
      {"fd00::1", "fd00:0:0::1", 443, true},
      {"[fd00::1]:6443", "fd00::1", 6443, true},
      {"[fd00::1]:6443", "fd00::1", 443, false},
      {"::ffff:10.0.0.1", "10.0.0.1", 443, true},
      // Networks.
      {"10.0.0.0/8", "10.255.0.1", 443, true},
      {"10.0.0.0/8", "11.0.0.1", 443, false},
      {"10.0.0.0/9", "10.128.0.1", 443, false},
      {"0.0.0.0/0", "10.0.0.1", 443, true},
      {"::/0", "10.0.0.1", 443, false},
      {"fd00::/8", "fd12::1", 443, true},
      {"fd00::/8", "fe80::1", 443, false},
      {"10.0.0.0/33", "10.0.0.1", 443, false},
      {"10.0.0.0/8", "ten.example", 443, false},
      // Blanks and empty entries.
      {" , example ,", "example", 443, true},
      {" . ", "example", 443, false},
      {"not it,10.1.0.0/16,.svc,api.example", "api.example", 443, true},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(is_exempt(c.no_proxy, c.host, static_cast<std::uint16_t>(c.port)), c.exempt)
        << c.no_proxy << " and " << c.host << ":" << c.port;
  }
}

ServerUrl server(bool tls, const std::string& host, std::uint16_t port = 443) {
  return {tls, host, port, ""};
}

TEST(ProxyFor, goes_by_the_scheme_of_the_server) {
  const ProxyVariables both{"http://plain:1", "http://secure:2", "", false};
  EXPECT_EQ(proxy_for(server(true, "h"), both).value()->host, "secure");
  EXPECT_EQ(proxy_for(server(false, "h"), both).value()->host, "plain");
  EXPECT_EQ(proxy_for(server(true, "h"), both).value()->given_by, "HTTPS_PROXY");
  EXPECT_FALSE(proxy_for(server(true, "h"), {"http://plain:1", "", "", false}).value());
  EXPECT_FALSE(proxy_for(server(false, "h"), {"", "http://secure:2", "", false}).value());
}

TEST(ProxyFor, is_none_for_this_machine) {
  const ProxyVariables set{"http://p:1", "http://p:1", "", false};
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(proxy_for(server(true, host), set).value()) << host;
    EXPECT_FALSE(proxy_for(server(false, host), set).value()) << host;
  }
  for (const char* host : {"localhost.example", "128.0.0.1", "::2"}) {
    EXPECT_TRUE(proxy_for(server(true, host), set).value()) << host;
  }
}

TEST(ProxyFor, is_none_where_no_proxy_says_so_whatever_the_proxy_is) {
  EXPECT_FALSE(proxy_for(server(true, "h"), {"", "ftp://broken", "h", false}).value());
  EXPECT_EQ(proxy_for(server(true, "h"), {"", "ftp://broken", "", false}).error().code, Errc::bad_config);
}

TEST(ProxyFor, does_not_trust_http_proxy_in_a_cgi) {
  EXPECT_EQ(proxy_for(server(false, "h"), {"http://p:1", "http://p:1", "", true}).error().code, Errc::bad_config);
  EXPECT_TRUE(proxy_for(server(true, "h"), {"http://p:1", "http://p:1", "", true}).value());
}

TEST(NoProxy, survives_any_text) {
  std::mt19937 random(6);
  int exempt = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string list = mutated("example:443, [fd00::1]:80,10.0.0.0/8, *.svc", random);
    exempt += is_exempt(list, "10.1.2.3", 443) ? 1 : 0;
    static_cast<void>(parse_proxy_url(mutated("http://u:p%40@h.example:3128/x", random), "X"));
  }
  EXPECT_GT(exempt, 1000);
}

}  // namespace
}  // namespace konductor::kube
