#include "kube/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace konductor::kube {
namespace {

TEST(Text, becomes_one_line) {
  EXPECT_EQ(one_line("  a\n\t b\x1b[1m\r\n"), "a b\\x1b[1m");
  EXPECT_EQ(one_line(""), "");
  EXPECT_EQ(one_line(" \n "), "");
}

// A terminal must neither obey it nor be made to show things in another order than they are in.
TEST(Text, shows_what_would_command_a_terminal) {
  struct Case {
    std::string_view text;
    std::string_view shown;
  };
  for (const Case& one : {
           Case{"plain text, \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92", "plain text, \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92"},
           Case{"two  blanks", "two  blanks"}, Case{"a\x1b]0;title\x07", "a\\x1b]0;title\\x07"},
           Case{"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"}, Case{"\x7f", "\\x7f"},
           Case{"\xc2\x9b"
                "2J",
                "\\u009b2J"},                       // C1: CSI as one character
           Case{"\x9b", "\\x9b"},                   // the same as a bare byte
           Case{"a\xe2\x80\xae\x62", "a\\u202eb"},  // right-to-left override
           Case{"\xe2\x80\xaa\xe2\x80\xad", "\\u202a\\u202d"}, Case{"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
           Case{"\xe2\x80\x8e\xe2\x80\x8f", "\\u200e\\u200f"},
           Case{"\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf", "\\u2028\\u200b\\ufeff"}, Case{"\xd8\x9c", "\\u061c"},
           Case{"\xe2\x80", "\\xe2\\x80"},           // cut
           Case{"\xc0\xaf", "\\xc0\\xaf"},           // longer than need be
           Case{"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
       }) {
    EXPECT_EQ(visible(one.text), one.shown);
  }
}

TEST(Text, in_json_means_the_same_when_nothing_in_it_commands_a_terminal) {
  EXPECT_EQ(visible_json("{\n  \"a\": \"\xc3\xa4\\n\x7f\xc2\x9b\xe2\x80\xae\"\n}"),
            "{\n  \"a\": \"\xc3\xa4\\n\\u007f\\u009b\\u202e\"\n}");
  EXPECT_EQ(visible_json("\xff\x1b"), "\xff\x1b") << "what is no JSON stays as it is";
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
