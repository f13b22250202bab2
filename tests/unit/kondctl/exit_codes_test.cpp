#include "kondctl/exit_codes.hpp"

#include "kondctl/advice.hpp"

#include <gtest/gtest.h>

namespace konductor::kondctl::test {
namespace {

TEST(ExitCodes, are_the_documented_numbers) {
  EXPECT_EQ(static_cast<int>(ExitCode::done), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::failed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::not_available), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::no_such_object), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::refused), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::unreachable), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::timed_out), 124);
  EXPECT_EQ(static_cast<int>(ExitCode::lost), 125);
  EXPECT_EQ(static_cast<int>(ExitCode::interrupted), 130);
  EXPECT_EQ(static_cast<int>(ExitCode::terminated), 143);
}

TEST(ExitCodes, follow_from_every_error) {
  struct Case {
    Errc code;
    ExitCode exit;
  };
  for (const Case& one : {Case{Errc::not_found, ExitCode::no_such_object}, Case{Errc::conflict, ExitCode::failed},
                          Case{Errc::already_exists, ExitCode::failed}, Case{Errc::expired, ExitCode::failed},
                          Case{Errc::unauthorized, ExitCode::refused}, Case{Errc::forbidden, ExitCode::refused},
                          Case{Errc::too_many_requests, ExitCode::unreachable}, Case{Errc::invalid, ExitCode::refused},
                          Case{Errc::unavailable, ExitCode::unreachable}, Case{Errc::timeout, ExitCode::unreachable},
                          Case{Errc::protocol_violation, ExitCode::failed},
                          Case{Errc::plugin_incompatible, ExitCode::failed}, Case{Errc::bad_config, ExitCode::usage},
                          Case{Errc::not_installed, ExitCode::failed}, Case{Errc::cancelled, ExitCode::interrupted}}) {
    EXPECT_EQ(exit_code_for(one.code), one.exit) << to_string(one.code);
    EXPECT_EQ(exit_code_for(Error{one.code, "", 0}), one.exit) << to_string(one.code);
  }
}

TEST(Advice, says_how_to_install_what_is_missing) {
  EXPECT_NE(sentence_for({Errc::not_installed, "list widgets: not found", 0}).find("konductor manifests"),
            std::string::npos);
  EXPECT_EQ(sentence_for({Errc::forbidden, "no", 0}), "no");
  EXPECT_EQ(sentence_for({Errc::timeout, "", 0}), to_string(Errc::timeout));
}

}  // namespace
}  // namespace konductor::kondctl::test
