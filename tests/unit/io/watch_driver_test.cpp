#include "io/watch_driver.hpp"

#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace konductor::io {
namespace {

using namespace konductor::tests;
using Kind = runtime::ViewEvent::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

std::string object(const std::string& name, int version) {
  return R"({"kind":"Thing","apiVersion":"v1","metadata":{"name":")" + name + R"(","resourceVersion":")" +
         std::to_string(version) + R"("}})";
}

Send list_of(const std::string& items, int version) {
  return answer(200, R"({"kind":"ThingList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                         std::to_string(version) + R"("},"items":[)" + items + "]}");
}

Send event(const std::string& type, const std::string& name, int version) {
  return chunk(R"({"type":")" + type + R"(","object":)" + object(name, version) + "}\n");
}

class Watch : public testing::Test {
 protected:
  /// Runs until the consumer heard `last`.
  void watch(std::vector<ConnectionScript> scripts, const std::string& last) {
    server_.emplace(context_, std::move(scripts));
    kube::ClusterAccess access;
    access.server = {.tls = false, .host = "127.0.0.1", .port = server_->port(), .base_path = {}};
    client_ = KubeClient::create(context_.get_executor(), access, {}).value();
    runtime::WatchSettings settings;
    settings.resource = {"", "v1", "things"};
    settings.retry_first = std::chrono::milliseconds{1};
    settings.retry_most = std::chrono::milliseconds{1};
    driver_.emplace(context_.get_executor(), *client_, settings, [this, last](const runtime::ViewEvent& view) {
      heard_.push_back(words_of(view));
      if (heard_.back() == relist_at_) driver_->relist();
      if (heard_.back() == close_at_) client_->close();
      if (heard_.back() == last) driver_->stop();
    });
    boost::asio::co_spawn(context_, driver_->run(), [this](std::exception_ptr) { over_ = true; });
    while (!over_ && context_.run_one_for(std::chrono::seconds{10}) != 0) {
    }
    ASSERT_TRUE(over_);
  }
  static std::string words_of(const runtime::ViewEvent& view) {
    switch (view.kind) {
      case Kind::begin: return "begin";
      case Kind::apply: return "apply " + view.resource_version;
      case Kind::remove: return "remove " + view.resource_version;
      case Kind::synced: return "synced " + view.resource_version;
      case Kind::progress: return "progress " + view.resource_version;
      case Kind::failed: return "failed";
    }
    return {};
  }

  boost::asio::io_context context_;
  std::optional<ScriptedServer> server_;
  std::unique_ptr<KubeClient> client_;
  std::optional<WatchDriver> driver_;
  std::vector<std::string> heard_;
  std::string relist_at_;
  std::string close_at_;
  bool over_ = false;
};

TEST_F(Watch, lists_then_follows) {
  watch({{ReadRequest{}, list_of(object("a", 3), 5), Hold{}},
         {ReadRequest{}, chunked_head(), event("ADDED", "b", 6), event("DELETED", "a", 7), Hold{}}},
        "remove 7");
  EXPECT_THAT(heard_, ElementsAre("begin", "apply 3", "synced 5", "apply 6", "remove 7"));
  EXPECT_THAT(server_->requests().at(1), HasSubstr("resourceVersion=5"));
}

TEST_F(Watch, resumes_where_the_stream_ended) {
  watch({{ReadRequest{}, list_of("", 5), Hold{}},
         {ReadRequest{}, chunked_head(), event("ADDED", "b", 6), last_chunk()},
         {ReadRequest{}, chunked_head(), event("ADDED", "c", 7), Hold{}}},
        "apply 7");
  EXPECT_THAT(heard_, ElementsAre("begin", "synced 5", "apply 6", "apply 7"));
  EXPECT_THAT(server_->requests().at(2), HasSubstr("resourceVersion=6"));
}

TEST_F(Watch, lists_again_after_410) {
  watch({{ReadRequest{}, list_of("", 5), ReadRequest{}, list_of("", 9), Hold{}},
         {ReadRequest{}, answer(410, R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})")},
         {ReadRequest{}, chunked_head(), event("ADDED", "c", 10), Hold{}}},
        "apply 10");
  EXPECT_THAT(heard_, testing::IsSupersetOf({"synced 5", "synced 9", "apply 10"}));
}

TEST_F(Watch, survives_cut_streams_and_nonsense) {
  watch({{ReadRequest{}, list_of("", 5), ReadRequest{}, list_of("", 9), Hold{}},
         {ReadRequest{}, Reset{}},
         {ReadRequest{}, chunked_head(), event("ADDED", "b", 6), Send{"ff\r\n{\"type\""}, Reset{}},
         {ReadRequest{}, chunked_head(), event("ADDED", "c", 7), Hold{}}},
        "apply 7");
  EXPECT_THAT(heard_, testing::IsSupersetOf({"synced 5", "apply 6", "apply 7"}));
}

TEST_F(Watch, lists_again_when_asked_to) {
  relist_at_ = "apply 6";
  watch({{ReadRequest{}, list_of("", 5), ReadRequest{}, list_of("", 9), Hold{}},
         {ReadRequest{}, chunked_head(), event("ADDED", "b", 6), Hold{}}},
        "synced 9");
  EXPECT_THAT(heard_, ElementsAre("begin", "synced 5", "apply 6", "begin", "synced 9"));
}

TEST_F(Watch, ends_when_the_client_is_closed) {
  close_at_ = "apply 6";
  watch({{ReadRequest{}, list_of("", 5), Hold{}}, {ReadRequest{}, chunked_head(), event("ADDED", "b", 6), Hold{}}}, {});
  EXPECT_EQ(heard_.back(), "apply 6");
}

}  // namespace
}  // namespace konductor::io
