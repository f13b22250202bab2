#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "io/server.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_front.hpp"
#include "tests/support/tls_server.hpp"
#include "tests/support/tunnel_proxy.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using namespace konductor::tests;
using testing::HasSubstr;

/// A server whose name only a proxy could look up.
class Proxied : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const auto& path = folder_->path();
    make_certificate(path, "ca", "", "");
    make_certificate(path, "server", "ca", "DNS:api.invalid");
    make_certificate(path, "proxy", "ca", "IP:127.0.0.1");
    std::ofstream(path / "answer") << "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  }
  static void TearDownTestSuite() { folder_.reset(); }

  Result<kube::Response> get(const std::string& proxy, bool tls, runtime::Duration deadline = 5s) {
    kube::ClusterAccess access;
    access.server = {tls, "api.invalid", 6443, ""};
    access.ca.file = (folder_->path() / "ca.crt").string();
    access.proxy = kube::parse_proxy_url(proxy, "HTTPS_PROXY").value();
    const auto settings = read_tls_settings(access, system_environment()).value();
    transport_.emplace(context_.get_executor(), make_server(access, settings).value(), TransportSettings{});
    kube::Request request;
    request.target = "/answer";
    const auto before = mono_now();
    auto response = run(context_, transport_->send(request, "Bearer abc", deadline));
    took_ = mono_now() - before;
    return response;
  }
  static std::string at(const std::string& scheme, std::uint16_t port) {
    return scheme + "127.0.0.1:" + std::to_string(port);
  }

  boost::asio::io_context context_;
  std::optional<HttpTransport> transport_;
  runtime::Duration took_{};  // by the last get()
  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Proxied, https_goes_through_a_tunnel) {
  const TlsServer server(folder_->path(), {});
  const TunnelProxy proxy(context_, TunnelProxy::Kind::connect, server.port());
  EXPECT_EQ(get(at("http://u:p@", proxy.port()), true).value().body, "ok");
  EXPECT_EQ(proxy.asked().at(0),
            "CONNECT api.invalid:6443 HTTP/1.1\r\nHost: api.invalid:6443\r\nUser-Agent: konductor\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST_F(Proxied, both_schemes_go_through_socks) {
  const TlsServer server(folder_->path(), {});
  const TunnelProxy proxy(context_, TunnelProxy::Kind::socks5, server.port());
  // The double asks for an IPv4 address; the name is the server's all the same.
  kube::ClusterAccess access;
  access.server = {true, "10.0.0.1", 6443, ""};
  access.tls_server_name = "api.invalid";
  access.ca.file = (folder_->path() / "ca.crt").string();
  access.proxy = kube::parse_proxy_url(at("socks5://", proxy.port()), "proxy-url").value();
  const auto settings = read_tls_settings(access, system_environment()).value();
  transport_.emplace(context_.get_executor(), make_server(access, settings).value(), TransportSettings{});
  kube::Request request;
  request.target = "/answer";
  EXPECT_EQ(run(context_, transport_->send(request, "", 5s)).value().body, "ok");
  EXPECT_EQ(proxy.asked().at(0), std::string("\5\1\0\1\x0a\0\0\1\x19\x2b", 10));
}

TEST_F(Proxied, http_asks_the_proxy_for_the_whole_url) {
  ScriptedServer proxy(context_, {{ReadRequest{}, answer(200, "ok")}});
  EXPECT_EQ(get(at("http://u:p@", proxy.port()), false).value().body, "ok");
  EXPECT_THAT(proxy.requests().at(0), testing::StartsWith("GET http://api.invalid:6443/answer HTTP/1.1\r\n"
                                                          "Host: api.invalid:6443\r\n"));
  EXPECT_THAT(proxy.requests().at(0), HasSubstr("\r\nProxy-Authorization: Basic dTpw\r\n"));
  EXPECT_THAT(proxy.requests().at(0), HasSubstr("\r\nAuthorization: Bearer abc\r\n"));
}

TEST_F(Proxied, https_goes_through_tls_to_the_proxy_and_tls_to_the_server) {
  const TlsServer server(folder_->path(), {});
  const TunnelProxy tunnel(context_, TunnelProxy::Kind::connect, server.port());
  const TlsFront front(context_, folder_->path(), "proxy", tunnel.port());
  EXPECT_EQ(get(at("https://", front.port()), true).value().body, "ok");
  EXPECT_THAT(tunnel.asked().at(0), HasSubstr("CONNECT api.invalid:6443"));
  const TlsFront false_front(context_, folder_->path(), "server", tunnel.port());
  const auto error = get(at("https://", false_front.port()), true).error();
  EXPECT_EQ(error.code, Errc::bad_config);
  EXPECT_THAT(error.detail, HasSubstr("certificate verify failed: IP address mismatch"));
}

TEST_F(Proxied, names_a_proxy_that_is_not_there) {
  const auto result = get(at("http://u:s3cret@", 1), true);
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_EQ(result.error().detail,
            "connect to https://api.invalid:6443 through the proxy http://127.0.0.1:1: connection refused");
  EXPECT_EQ(get("http://proxy.invalid:1", true).error().code, Errc::unavailable);
}

TEST_F(Proxied, keeps_the_words_of_a_proxy_that_refuses) {
  ScriptedServer forbids(context_, {{ReadRequest{}, answer(403, "not on the list")}});
  auto error = get(at("http://", forbids.port()), true).error();
  EXPECT_EQ(error.code, Errc::forbidden);
  EXPECT_THAT(error.detail, HasSubstr("it refused the tunnel: 403 Words: not on the list"));
  ScriptedServer asks(context_, {{ReadRequest{}, answer(407, "")}});
  error = get(at("http://", asks.port()), true).error();
  EXPECT_EQ(error.code, Errc::bad_config);
  EXPECT_THAT(error.detail, HasSubstr("put USER:PASSWORD@ before the host in HTTPS_PROXY"));
  ScriptedServer asks_plainly(context_, {{ReadRequest{}, answer(407, "")}});
  error = get(at("http://", asks_plainly.port()), false).error();
  EXPECT_EQ(error.code, Errc::bad_config);
  EXPECT_THAT(error.detail, HasSubstr("put USER:PASSWORD@ before the host in HTTPS_PROXY"));
  ScriptedServer garbage(context_, {{Send{"220 mail.example ESMTP\r\n"}, Hold{}}});
  error = get(at("http://", garbage.port()), true).error();
  EXPECT_EQ(error.code, Errc::protocol_violation);
  EXPECT_THAT(error.detail, HasSubstr("what it answers is not HTTP: \"220 mail.example ESMTP\""));
}

TEST_F(Proxied, ends_on_time_where_the_proxy_says_nothing) {
  for (const char* scheme : {"http://", "socks5://", "https://"}) {
    ScriptedServer proxy(context_, {{Hold{}}});
    const auto result = get(at(scheme, proxy.port()), true, 150ms);
    EXPECT_EQ(result.error().code, Errc::timeout) << scheme << result.error().detail;
    EXPECT_GE(took_, 150ms);
    EXPECT_LE(took_, 250ms);
  }
}

}  // namespace
}  // namespace konductor::io
