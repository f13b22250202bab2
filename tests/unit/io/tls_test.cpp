#include "io/http_transport.hpp"
#include "io/server.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>

namespace konductor::io {
namespace {

using namespace konductor::tests;
using testing::HasSubstr;

/// Certificates are made once for all tests of this file.
class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    make_certificate(path(), "ca", "", "");
    make_certificate(path(), "other", "", "");
    make_certificate(path(), "server", "ca", "DNS:api.example,IP:127.0.0.1");
    make_certificate(path(), "named", "ca", "DNS:api.example");
    make_certificate(path(), "client", "ca", "");
    std::ofstream(path() / "answer") << "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static const std::filesystem::path& path() { return folder_->path(); }
  static std::string file(const std::string& name) { return (path() / name).string(); }

  static kube::ClusterAccess access_to(const std::string& host, std::uint16_t port) {
    kube::ClusterAccess access;
    access.server.host = host;
    access.server.port = port;
    access.ca.file = file("ca.crt");
    return access;
  }

  static Result<std::shared_ptr<const Server>> server_of(const kube::ClusterAccess& access) {
    const auto settings = read_tls_settings(access, system_environment());
    if (!settings) return settings.error();
    return make_server(access, *settings);
  }

  Result<kube::Response> get(const kube::ClusterAccess& access) {
    const auto server = server_of(access);
    if (!server) return server.error();
    HttpTransport transport(context_.get_executor(), *server, {});
    kube::Request request;
    request.target = "/answer";
    return run(context_, transport.send(request, "", std::chrono::seconds{5}));
  }

  boost::asio::io_context context_;
  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Tls, accepts_a_server_whose_address_and_chain_are_right) {
  const TlsServer server(path(), {});
  EXPECT_EQ(get(access_to("127.0.0.1", server.port())).value().body, "ok");
}

TEST_F(Tls, takes_certificates_as_text_too) {
  const TlsServer server(path(), {});
  auto access = access_to("127.0.0.1", server.port());
  access.ca = {.data = read_text(file("ca.crt")), .file = {}};
  EXPECT_EQ(get(access).value().body, "ok");
}

TEST_F(Tls, accepts_an_ipv6_server) {
  make_certificate(path(), "six", "ca", "IP:::1");
  const TlsServer server(path(), {.certificate = "six", .client_authority = {}, .address = "[::1]"});
  EXPECT_EQ(get(access_to("::1", server.port())).value().body, "ok");
}

TEST_F(Tls, refuses_a_server_of_another_authority) {
  const TlsServer server(path(), {});
  auto access = access_to("127.0.0.1", server.port());
  access.ca = {.data = {}, .file = file("other.crt"), .field = "kubeconfig k: certificate-authority"};
  const auto result = get(access);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::bad_config);
  EXPECT_EQ(result.error().detail, "connect to https://127.0.0.1:" + std::to_string(server.port()) +
                                       ": certificate verify failed: unable to get local issuer certificate (the "
                                       "certificate-authority does not match the server: get this cluster's CA, or "
                                       "its kubeconfig, anew; the one in use is kubeconfig k: certificate-authority " +
                                       file("other.crt") + ")");
}

TEST_F(Tls, refuses_a_server_that_the_system_does_not_know) {
  const TlsServer server(path(), {});
  auto access = access_to("127.0.0.1", server.port());
  access.ca = {};
  EXPECT_THAT(get(access).error().detail, HasSubstr("certificate verify failed"));
  EXPECT_THAT(get(access).error().detail, HasSubstr("set certificate-authority to the cluster's CA"));
}

TEST_F(Tls, refuses_an_address_that_the_certificate_does_not_have) {
  const TlsServer server(path(), {.certificate = "named", .client_authority = {}});
  const auto result = get(access_to("127.0.0.1", server.port()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::bad_config);
  EXPECT_THAT(result.error().detail, HasSubstr("IP address mismatch"));
  EXPECT_THAT(result.error().detail, HasSubstr("tls-server-name"));
}

TEST_F(Tls, refuses_a_name_that_the_certificate_does_not_have) {
  const TlsServer server(path(), {});
  EXPECT_THAT(get(access_to("localhost", server.port())).error().detail, HasSubstr("hostname mismatch"));
}

TEST_F(Tls, checks_the_name_of_tls_server_name) {
  const TlsServer server(path(), {.certificate = "named", .client_authority = {}});
  auto access = access_to("127.0.0.1", server.port());
  access.tls_server_name = "api.example";
  EXPECT_EQ(get(access).value().body, "ok");
  access.tls_server_name = "other.example";
  EXPECT_THAT(get(access).error().detail, HasSubstr("hostname mismatch"));
}

TEST_F(Tls, believes_any_server_when_told_to) {
  const TlsServer server(path(), {.certificate = "named", .client_authority = {}});
  auto access = access_to("127.0.0.1", server.port());
  access.ca = {};
  access.insecure_skip_tls_verify = true;
  EXPECT_EQ(get(access).value().body, "ok");
}

TEST_F(Tls, shows_the_client_certificate) {
  const TlsServer server(path(), {.certificate = "server", .client_authority = "ca"});
  auto access = access_to("127.0.0.1", server.port());
  EXPECT_FALSE(get(access).has_value());
  access.client_certificate.file = file("client.crt");
  access.client_key.file = file("client.key");
  EXPECT_EQ(get(access).value().body, "ok");
}

TEST_F(Tls, says_that_the_server_refuses_the_client_certificate) {
  const TlsServer server(path(), {.certificate = "server", .client_authority = "ca"});
  auto access = access_to("127.0.0.1", server.port());
  access.client_certificate.file = file("other.crt");
  access.client_key.file = file("other.key");
  EXPECT_FALSE(get(access).has_value());
}

TEST_F(Tls, opens_a_few_connections_at_a_time) {
  constexpr std::size_t at_a_time = 8;
  ScriptedServer server(context_, std::vector<ConnectionScript>(2 * at_a_time, {Hold{}}));
  HttpTransport transport(context_.get_executor(), server_of(access_to("127.0.0.1", server.port())).value(), {});
  kube::Request request;
  request.target = "/answer";
  for (std::size_t i = 0; i < at_a_time; ++i) {
    boost::asio::co_spawn(context_, transport.send(request, "", std::chrono::seconds{5}),
                          [](const std::exception_ptr&, const Result<kube::Response>&) {});
  }
  const auto result = run(context_, transport.send(request, "", std::chrono::milliseconds{150}));
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().detail, HasSubstr("no connection could be opened in time"));
  EXPECT_EQ(server.connections(), at_a_time);
}

TEST_F(Tls, says_that_the_server_speaks_no_tls) {
  ScriptedServer server(context_, {{Send{"HTTP/1.1 400 Bad Request\r\n\r\nno TLS here"}, Hold{}}});
  const auto result = get(access_to("127.0.0.1", server.port()));
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().detail, HasSubstr("does not speak TLS"));
}

// Of each field, given as a file and inline: the error says which one it is, where it is from and what was found.
TEST_F(Tls, names_the_field_the_file_and_what_was_found_in_it) {
  auto broken = read_text(file("ca.crt"));
  broken[broken.find('\n') + 1] = '~';
  std::ofstream(path() / "broken.crt") << broken;
  std::ofstream(path() / "empty.crt");
  const std::string field = "kubeconfig k: certificate-authority";
  for (const auto& [wrong, words] :
       {std::pair{"answer", "59 bytes without a -----BEGIN line were found; a CERTIFICATE in PEM form is needed"},
        std::pair{"empty.crt", "0 bytes without a -----BEGIN line"},
        std::pair{"client.key", "PRIVATE KEY was found; a CERTIFICATE in PEM form is needed"},
        std::pair{"broken.crt", "CERTIFICATE was found, but what is in it can't be read (OpenSSL: "}}) {
    auto access = access_to("127.0.0.1", 1);
    access.ca = {.data = {}, .file = file(wrong), .field = field};
    EXPECT_EQ(get(access).error().code, Errc::bad_config);
    EXPECT_THAT(get(access).error().detail, testing::StartsWith(field + " " + file(wrong) + ": " + words));
    access.ca = {.data = read_text(file(wrong)), .file = {}, .field = field + "-data"};
    if (access.ca.data.empty()) continue;
    EXPECT_THAT(get(access).error().detail, testing::StartsWith(field + "-data (inline data): " + words));
  }
  auto access = access_to("127.0.0.1", 1);
  access.ca = {.data = {}, .file = file("missing.crt"), .field = field};
  EXPECT_EQ(get(access).error().detail, field + ": read " + file("missing.crt") + ": no such file");
}

TEST_F(Tls, names_a_client_certificate_or_key_that_cannot_be_used) {
  const auto error_of = [this](const std::string& certificate, const std::string& key) {
    auto access = access_to("127.0.0.1", 1);
    access.client_certificate = {.data = {}, .file = file(certificate), .field = "user u: client-certificate"};
    access.client_key = {.data = read_text(file(key)), .file = {}, .field = "user u: client-key-data"};
    const auto result = get(access);
    return result ? std::string("it works") : result.error().detail;
  };
  EXPECT_THAT(error_of("client.key", "client.key"),
              testing::StartsWith("user u: client-certificate " + file("client.key") + ": PRIVATE KEY was found"));
  EXPECT_THAT(error_of("client.crt", "client.crt"),
              testing::StartsWith("user u: client-key-data (inline data): CERTIFICATE was found"));
  make_key(path(), "other-type.key", "ed25519");
  for (const char* key : {"other.key", "other-type.key"})
    EXPECT_EQ(error_of("client.crt", key),
              "user u: client-key-data (inline data): this key does not match the certificate, which is from user u: "
              "client-certificate " +
                  file("client.crt"))
        << key;
  auto access = access_to("127.0.0.1", 1);
  access.client_certificate = {.data = {}, .file = file("client.crt"), .field = "user u: client-certificate"};
  EXPECT_THAT(get(access).error().detail, testing::EndsWith("go together, and no client-key is given"));
}

}  // namespace
}  // namespace konductor::io
