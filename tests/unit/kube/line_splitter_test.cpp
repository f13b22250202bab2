#include "kube/line_splitter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kube {
namespace {

struct Outcome {
  std::vector<std::string> lines;
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

Outcome feed_in_pieces(std::string_view text, std::mt19937& random, std::size_t max_line, std::size_t max_piece) {
  LineSplitter splitter(max_line);
  Outcome outcome;
  while (!text.empty() && !outcome.broken) {
    const std::size_t size = std::min(text.size(), 1 + static_cast<std::size_t>(random() % max_piece));
    const auto lines = splitter.feed(text.substr(0, size));
    outcome.broken = !lines;
    if (lines) outcome.lines.insert(outcome.lines.end(), lines->begin(), lines->end());
    text.remove_prefix(size);
  }
  return outcome;
}

TEST(LineSplitter, gives_lines_without_their_ends_and_leaves_empty_ones_out) {
  LineSplitter splitter;
  EXPECT_EQ(splitter.feed("one\r\n\n\r\ntwo\nthr").value(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(splitter.feed("ee").value(), std::vector<std::string>{});
  EXPECT_EQ(splitter.feed("\n").value(), std::vector<std::string>{"three"});
}

TEST(LineSplitter, takes_a_line_of_exactly_the_bound) {
  LineSplitter splitter(4);
  EXPECT_EQ(splitter.feed("1234\n").value(), std::vector<std::string>{"1234"});
}

TEST(LineSplitter, stays_broken_after_a_line_over_the_bound) {
  LineSplitter splitter(4);
  ASSERT_TRUE(splitter.feed("12").has_value());
  const auto over = splitter.feed("345");
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, Errc::protocol_violation);
  EXPECT_FALSE(splitter.feed("\nok\n").has_value());
}

TEST(LineSplitter, gives_the_same_lines_however_the_bytes_are_cut) {
  std::mt19937 random(20240115);
  for (std::size_t round = 0; round < 300; ++round) {
    std::string text;
    while (text.size() < 400) {
      text.append(random() % 60, static_cast<char>('a' + random() % 26)).append(random() % 3 == 0 ? "\r\n" : "\n");
    }
    const Outcome whole = feed_in_pieces(text, random, 1000, 1000000);
    ASSERT_FALSE(whole.lines.empty());
    EXPECT_EQ(feed_in_pieces(text, random, 1000, 1), whole);
    EXPECT_EQ(feed_in_pieces(text, random, 1000, 1 + round % 50), whole);
    // With a bound that some rounds break: whether they do does not depend on the cuts either.
    EXPECT_EQ(feed_in_pieces(text, random, 57, 1).broken, feed_in_pieces(text, random, 57, 1000000).broken);
  }
}

}  // namespace
}  // namespace konductor::kube
