#include "kube/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace konductor::kube {
namespace {

TEST(Text, becomes_one_line) {
  EXPECT_EQ(one_line("  a\n\t b\x1b[1m\r\n"), "a b [1m");
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line(" \n "), "");
}

TEST(Text, is_cut_at_the_limit_and_never_inside_of_a_character) {
  EXPECT_EQ(one_line("abcd", 4), "abcd");
  EXPECT_EQ(one_line("abcde", 4), "abcd...");
  EXPECT_EQ(one_line("ab\xe2\x82\xac", 4), "ab...");
}

TEST(Text, is_quoted) {
  EXPECT_EQ(quoted("a\nb"), "\"a b\"");
}

}  // namespace
}  // namespace konductor::kube
