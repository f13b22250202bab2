#include "io/kube_client.hpp"

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace konductor::io {
namespace {

using namespace konductor::tests;
using testing::HasSubstr;

class Client : public testing::Test {
 protected:
  KubeClient& connect_to(std::vector<ConnectionScript> scripts, const std::string& token_file = {}) {
    server_.emplace(context_, std::move(scripts));
    kube::ClusterAccess access;
    access.server = {.tls = false, .host = "127.0.0.1", .port = server_->port(), .base_path = "/base"};
    access.token_file = token_file;
    Environment environment;
    environment.read_file = [this](const std::string&) -> Result<std::string> {
      return "token-" + std::to_string(++readings_);
    };
    client_ = KubeClient::create(context_.get_executor(), access, environment).value();
    return *client_;
  }
  Result<kube::Response> get() {
    kube::Request request;
    request.target = "/api";
    return run(context_, client_->send(request, std::chrono::seconds{5}));
  }
  Result<void> stream() {
    StreamSink sink;
    sink.on_response = [this](const kube::Response& response) { statuses_.push_back(response.status); };
    sink.on_bytes = [](std::string_view) {};
    kube::Request request;
    request.target = "/watch";
    return run(context_, client_->stream(request, sink, std::chrono::seconds{5}));
  }

  boost::asio::io_context context_;
  std::optional<ScriptedServer> server_;
  std::unique_ptr<KubeClient> client_;
  std::vector<int> statuses_;
  int readings_ = 0;
};

TEST_F(Client, adds_the_token_and_the_base_path) {
  connect_to({{ReadRequest{}, answer(200, "ok")}}, "/token");
  EXPECT_EQ(get().value().status, 200);
  EXPECT_THAT(server_->requests().at(0), HasSubstr("GET /base/api HTTP/1.1\r\n"));
  EXPECT_THAT(server_->requests().at(0), HasSubstr("Authorization: Bearer token-1\r\n"));
}

TEST_F(Client, tries_a_new_token_once_after_401) {
  connect_to({{ReadRequest{}, answer(401, "no"), ReadRequest{}, answer(200, "ok")}}, "/token");
  EXPECT_EQ(get().value().status, 200);
  EXPECT_THAT(server_->requests().at(1), HasSubstr("Bearer token-2"));
}

TEST_F(Client, gives_the_second_401) {
  connect_to({{ReadRequest{}, answer(401, "no"), ReadRequest{}, answer(401, "still no")}}, "/token");
  EXPECT_EQ(get().value().body, "still no");
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(Client, gives_a_401_at_once_where_there_is_no_file) {
  connect_to({{ReadRequest{}, answer(401, "no")}});
  EXPECT_EQ(get().value().status, 401);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(Client, tries_a_new_token_for_a_stream_too) {
  connect_to({{ReadRequest{}, answer(401, "no")}, {ReadRequest{}, chunked_head(), last_chunk()}}, "/token");
  EXPECT_TRUE(stream().has_value());
  EXPECT_EQ(statuses_, std::vector<int>{200});
}

/// Gives "first" when it is run first, then "next".
class WithExec : public Client {
 protected:
  void connect_with_exec(std::vector<ConnectionScript> scripts) {
    server_.emplace(context_, std::move(scripts));
    kube::ClusterAccess access;
    access.server = {.tls = false, .host = "127.0.0.1", .port = server_->port(), .base_path = ""};
    access.exec.emplace();
    access.exec->api_version = "client.authentication.k8s.io/v1";
    access.exec->command = "/bin/sh";
    const std::string print = R"(printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
                              R"("status":{"token":"%s"}}')";
    access.exec->args = {"-c", "cd " + folder_.path().string() + "; if [ -e again ]; then " + print +
                                   " next; else touch again; " + print + " first; fi"};
    client_ = KubeClient::create(context_.get_executor(), access, {}).value();
  }
  TemporaryFolder folder_;
};

TEST_F(WithExec, sends_what_the_plugin_gave) {
  connect_with_exec({{ReadRequest{}, answer(200, "1"), ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(get().value().body, "1");
  EXPECT_EQ(get().value().body, "2");
  for (const auto& request : server_->requests()) EXPECT_THAT(request, HasSubstr("Authorization: Bearer first\r\n"));
}

TEST_F(WithExec, runs_the_plugin_once_more_after_401) {
  connect_with_exec({{ReadRequest{}, answer(401, "no"), ReadRequest{}, answer(200, "ok")}});
  EXPECT_EQ(get().value().status, 200);
  EXPECT_THAT(server_->requests().at(1), HasSubstr("Bearer next"));
}

TEST_F(WithExec, runs_it_once_more_for_a_stream_too) {
  connect_with_exec({{ReadRequest{}, answer(401, "no")}, {ReadRequest{}, answer(401, "still no")}});
  EXPECT_TRUE(stream().has_value());
  EXPECT_EQ(statuses_, std::vector<int>{401});
  EXPECT_THAT(server_->requests().at(1), HasSubstr("Bearer next"));
}

TEST_F(WithExec, ends_by_close_while_the_plugin_runs) {
  connect_with_exec({});
  std::optional<Result<kube::Response>> result;
  kube::Request request;
  request.target = "/api";
  boost::asio::co_spawn(context_, client_->send(request, std::chrono::seconds{5}),
                        [&](std::exception_ptr, Result<kube::Response> r) { result.emplace(std::move(r)); });
  context_.poll_one();
  client_->close();
  while (!result && context_.run_one_for(std::chrono::seconds{10}) != 0) {
  }
  EXPECT_EQ(result->error().code, Errc::cancelled);
  EXPECT_EQ(server_->connections(), 0U);
}

/// A server that wants a client certificate of the authority "ca"; "wrong" is of another.
class WithCertificates : public Client {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<TemporaryFolder>();
    for (const char* name : {"ca", "other"}) make_certificate(made_->path(), name, "", "");
    make_certificate(made_->path(), "server", "ca", "IP:127.0.0.1");
    make_certificate(made_->path(), "right", "ca", "");
    make_certificate(made_->path(), "wrong", "other", "");
    std::ofstream(made_->path() / "api") << "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  }
  static void TearDownTestSuite() { made_.reset(); }

  void put(const std::string& made, const std::string& used) {
    std::filesystem::copy_file(made_->path() / made, folder_.path() / used,
                               std::filesystem::copy_options::overwrite_existing);
  }
  void connect() {
    const auto file = [this](const char* name) { return (folder_.path() / name).string(); };
    tls_server_.emplace(made_->path(), TlsServer::Options{.certificate = "server", .client_authority = "ca"});
    kube::ClusterAccess access;
    access.server = {.tls = true, .host = "127.0.0.1", .port = tls_server_->port(), .base_path = ""};
    access.ca.file = file("ca");
    access.client_certificate.file = file("crt");
    access.client_key.file = file("key");
    client_ = KubeClient::create(context_.get_executor(), access, system_environment()).value();
  }

  static inline std::unique_ptr<TemporaryFolder> made_;
  TemporaryFolder folder_;
  std::optional<TlsServer> tls_server_;
};

TEST_F(WithCertificates, reads_the_files_again_when_its_certificate_is_refused) {
  put("ca.crt", "ca");
  put("wrong.crt", "crt");
  put("wrong.key", "key");
  connect();
  EXPECT_EQ(get().error().code, Errc::unauthorized) << get().error().detail;
  put("right.crt", "crt");
  EXPECT_FALSE(get().has_value()) << "half of the new pair: the old one stays";
  put("right.key", "key");
  EXPECT_EQ(get().value().body, "ok");
}

TEST_F(WithCertificates, reads_the_files_again_when_it_refuses_the_server) {
  put("other.crt", "ca");
  put("right.crt", "crt");
  put("right.key", "key");
  connect();
  EXPECT_EQ(get().error().code, Errc::bad_config);
  put("ca.crt", "ca");
  EXPECT_EQ(get().value().body, "ok");
}

TEST_F(Client, learns_the_time_of_the_server) {
  connect_to({{ReadRequest{}, answer(200, "ok", "Date: Mon, 15 Jan 2024 10:30:00 GMT\r\n")}});
  EXPECT_TRUE(get().has_value());
  const auto since = client_->server_now() - runtime::WallTime{std::chrono::seconds{1705314600}};
  EXPECT_GE(since, std::chrono::milliseconds{500});
  EXPECT_LT(since, std::chrono::seconds{10});
}

}  // namespace
}  // namespace konductor::io
