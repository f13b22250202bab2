#include "io/kube_client.hpp"

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>

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

TEST_F(Client, learns_the_time_of_the_server) {
  connect_to({{ReadRequest{}, answer(200, "ok", "Date: Mon, 15 Jan 2024 10:30:00 GMT\r\n")}});
  EXPECT_TRUE(get().has_value());
  const auto since = client_->server_now() - runtime::WallTime{std::chrono::seconds{1705314600}};
  EXPECT_GE(since, std::chrono::milliseconds{500});
  EXPECT_LT(since, std::chrono::seconds{10});
}

}  // namespace
}  // namespace konductor::io
