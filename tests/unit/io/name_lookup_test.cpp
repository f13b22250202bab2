#include "io/name_lookup.hpp"

#include "io/clock.hpp"
#include "tests/support/run_coroutine.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// Name servers that say nothing until they are told to.
struct SilentServers {
  std::promise<void> speak;
  std::shared_future<void> spoke = speak.get_future().share();
  std::atomic<int> asked = 0;
};

class Lookup : public testing::Test {
 protected:
  ~Lookup() override { speak(); }
  void speak() {
    if (!spoken_) servers_->speak.set_value();
    spoken_ = true;
  }
  NameLookup::Ask ask() {
    return [servers = servers_](const std::string& host) -> Result<NameLookup::Addresses> {
      ++servers->asked;
      servers->spoke.wait();
      if (host == "dead") return Error{Errc::unavailable, "host not found"};
      return NameLookup::Addresses{asio::ip::make_address("::1"), asio::ip::make_address("127.0.0.1")};
    };
  }

  asio::io_context context_;
  std::shared_ptr<SilentServers> servers_ = std::make_shared<SilentServers>();
  bool spoken_ = false;
};

TEST_F(Lookup, ends_on_time_while_the_name_servers_are_silent) {
  NameLookup names(context_.get_executor(), ask());
  const auto before = mono_now();
  const auto found = tests::run(context_, names.resolve("api.example", 443, before + 150ms));
  const auto elapsed = mono_now() - before;
  EXPECT_GE(elapsed, 150ms);
  EXPECT_LE(elapsed, 250ms);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Errc::timeout);
  EXPECT_EQ(found.error().detail, "look up api.example: the name servers did not answer in time");
}

TEST_F(Lookup, asks_once_for_all_who_wait) {
  NameLookup names(context_.get_executor(), ask());
  std::vector<Endpoints> found;
  for (std::uint16_t port = 1; port <= 3; ++port) {
    asio::co_spawn(context_, names.resolve("api.example", port, mono_now() + 5s),
                   [&](std::exception_ptr, Result<Endpoints> endpoints) { found.push_back(endpoints.value()); });
  }
  while (context_.poll_one() != 0) {
  }
  EXPECT_TRUE(found.empty());
  speak();
  while (found.size() < 3 && context_.run_one_for(10s) != 0) {
  }
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[2].size(), 2U);
  EXPECT_EQ(found[2][0].address().to_string(), "::1");
  EXPECT_EQ(found[2][1].port(), 3);
  EXPECT_EQ(servers_->asked, 1);
}

TEST_F(Lookup, says_why_it_failed) {
  speak();
  NameLookup names(context_.get_executor(), ask());
  const auto found = tests::run(context_, names.resolve("dead", 443, mono_now() + 5s));
  EXPECT_EQ(found.error().detail, "look up dead: host not found");
}

TEST_F(Lookup, needs_nobody_for_an_address) {
  NameLookup names(context_.get_executor(), ask());
  EXPECT_EQ(tests::run(context_, names.resolve("::1", 6443, mono_now() + 5s)).value().at(0).port(), 6443);
  EXPECT_EQ(servers_->asked, 0);
}

TEST_F(Lookup, may_be_gone_when_the_answer_comes) {
  {
    NameLookup names(context_.get_executor(), ask());
    EXPECT_FALSE(tests::run(context_, names.resolve("api.example", 443, mono_now())).has_value());
  }
  speak();
  EXPECT_EQ(context_.poll(), 0U);
}

}  // namespace
}  // namespace konductor::io
