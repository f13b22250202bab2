#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using namespace konductor::tests;
using testing::HasSubstr;

class Stream : public testing::Test {
 protected:
  Result<void> stream(std::vector<ConnectionScript> scripts, runtime::Duration idle = 5s) {
    ScriptedServer server(context_, std::move(scripts));
    auto where = std::make_shared<Server>();
    where->host = "127.0.0.1";
    where->port = server.port();
    where->origin = server.url();
    transport_.emplace(context_.get_executor(), where, TransportSettings{});
    StreamSink sink;
    sink.on_response = [this](const kube::Response& response) { responses_.push_back(response); };
    sink.on_bytes = [this](std::string_view bytes) {
      bytes_ += bytes;
      if (on_bytes_) on_bytes_();
    };
    kube::Request request;
    request.target = "/watch";
    return run(context_, transport_->stream(request, "", sink, idle));
  }

  boost::asio::io_context context_;
  std::optional<HttpTransport> transport_;
  std::vector<kube::Response> responses_;
  std::string bytes_;
  std::function<void()> on_bytes_;
};

TEST_F(Stream, gives_the_bytes_as_they_come_and_ends_in_good_order) {
  const auto ended = stream({{ReadRequest{}, chunked_head(), chunk("a\n"), chunk("b"), chunk("\n"), last_chunk()}});
  EXPECT_TRUE(ended.has_value());
  EXPECT_EQ(bytes_, "a\nb\n");
  ASSERT_EQ(responses_.size(), 1U);
  EXPECT_EQ(responses_[0].status, 200);
}

TEST_F(Stream, gives_a_refusal_whole) {
  const auto ended = stream({{ReadRequest{}, chunked_head(410), chunk("too "), chunk("old"), last_chunk()}});
  EXPECT_TRUE(ended.has_value());
  EXPECT_EQ(bytes_, "");
  ASSERT_EQ(responses_.size(), 1U);
  EXPECT_EQ(responses_[0].status, 410);
  EXPECT_EQ(responses_[0].body, "too old");
}

TEST_F(Stream, has_no_bound_on_its_length) {
  ConnectionScript script = {ReadRequest{}, chunked_head()};
  const std::string megabyte(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 70; ++i) script.emplace_back(chunk(megabyte));
  script.emplace_back(last_chunk());
  std::size_t most = 0;
  on_bytes_ = [&] {
    most += bytes_.size();
    bytes_.clear();
  };
  EXPECT_TRUE(stream({script}).has_value());
  EXPECT_EQ(most, 70 * megabyte.size());
}

TEST_F(Stream, keeps_what_came_before_a_cut) {
  const auto ended = stream({{ReadRequest{}, chunked_head(), chunk("a\n"), Send{"ff\r\nb"}, Close{}}});
  EXPECT_EQ(ended.error().code, Errc::unavailable);
  EXPECT_THAT(ended.error().detail, HasSubstr("in the middle of the answer"));
  EXPECT_EQ(bytes_, "a\nb");
}

TEST_F(Stream, is_unavailable_after_a_reset) {
  const auto ended = stream({{ReadRequest{}, Reset{}}});
  EXPECT_EQ(ended.error().code, Errc::unavailable);
  EXPECT_TRUE(responses_.empty());
}

TEST_F(Stream, ends_after_the_longest_silence) {
  const auto before = mono_now();
  const auto ended = stream({{ReadRequest{}, chunked_head(), chunk("a\n"), Hold{}}}, 150ms);
  EXPECT_LE(mono_now() - before, 250ms + 50ms);
  EXPECT_EQ(ended.error().code, Errc::timeout);
  EXPECT_EQ(bytes_, "a\n");
}

TEST_F(Stream, can_be_stopped_from_its_own_sink) {
  on_bytes_ = [this] { boost::asio::post(context_, [this] { transport_->close(); }); };
  const auto ended = stream({{ReadRequest{}, chunked_head(), chunk("a\n"), Hold{}}});
  EXPECT_EQ(ended.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace konductor::io
