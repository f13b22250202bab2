#include "io/elector_driver.hpp"

#include "tests/support/scripted_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>

namespace konductor::io {
namespace {

using namespace konductor::tests;
using testing::ElementsAre;
using testing::HasSubstr;

Send record(const std::string& holder, int version, int status = 200) {
  return answer(status,
                R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"k","namespace":"n",)"
                R"("resourceVersion":")" +
                    std::to_string(version) + R"("},"spec":{"holderIdentity":")" + holder +
                    R"(","leaseDurationSeconds":15,"leaseTransitions":0}})");
}

Send absent() {
  return answer(404, R"({"kind":"Status","status":"Failure","reason":"NotFound","code":404,)"
                     R"("message":"leases.coordination.k8s.io \"k\" not found","details":{"name":"k"}})");
}

class Election : public testing::Test {
 protected:
  void elect(std::vector<ConnectionScript> scripts) {
    server_.emplace(context_, std::move(scripts));
    kube::ClusterAccess access;
    access.server = {.tls = false, .host = "127.0.0.1", .port = server_->port(), .base_path = {}};
    client_ = KubeClient::create(context_.get_executor(), access, {}).value();
    runtime::ElectorSettings settings;
    settings.ns = "n";
    settings.name = "k";
    settings.identity = "me";
    driver_.emplace(context_.get_executor(), *client_, settings, [this](bool leading, const std::string&) {
      changes_.push_back(leading);
      if (leading) boost::asio::post(context_, [this] { driver_->stop(); });
    });
    boost::asio::co_spawn(context_, driver_->run(), [this](std::exception_ptr) { over_ = true; });
  }
  void run_to_end() {
    while (!over_ && context_.run_one_for(std::chrono::seconds{10}) != 0) {
    }
    ASSERT_TRUE(over_);
  }

  boost::asio::io_context context_;
  std::optional<ScriptedServer> server_;
  std::unique_ptr<KubeClient> client_;
  std::optional<ElectorDriver> driver_;
  std::vector<bool> changes_;
  bool over_ = false;
};

TEST_F(Election, creates_the_record_leads_and_releases) {
  elect({{ReadRequest{}, absent(), ReadRequest{}, record("me", 1, 201), ReadRequest{}, record("", 2), Hold{}}});
  run_to_end();
  EXPECT_THAT(changes_, ElementsAre(true, false));
  ASSERT_EQ(server_->requests().size(), 3U);
  EXPECT_THAT(server_->requests()[1], HasSubstr("POST "));
  EXPECT_FALSE(driver_->leading());
}

TEST_F(Election, stops_at_once_while_another_leads) {
  elect({{ReadRequest{}, record("other", 1), Hold{}}});
  while (driver_->elector().state() != runtime::Elector::State::waiting) context_.run_one();
  driver_->stop();
  run_to_end();
  EXPECT_TRUE(changes_.empty());
}

TEST_F(Election, abandons_a_request_when_stopped) {
  elect({{ReadRequest{}, Hold{}}});
  while (server_->requests().empty()) context_.run_one();
  driver_->stop();
  run_to_end();
  EXPECT_TRUE(changes_.empty());
}

TEST_F(Election, ends_when_the_client_is_closed) {
  elect({{ReadRequest{}, Hold{}}});
  while (server_->requests().empty()) context_.run_one();
  client_->close();
  run_to_end();
  EXPECT_TRUE(changes_.empty());
}

}  // namespace
}  // namespace konductor::io
