#include "io/pem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace konductor::io {
namespace {

using testing::HasSubstr;

std::string block(const std::string& label, const std::string& inside = "AAAA") {
  return "-----BEGIN " + label + "-----\n" + inside + "\n-----END " + label + "-----\n";
}

TEST(Pem, names_its_blocks) {
  EXPECT_EQ(pem_blocks(""), "");
  EXPECT_EQ(pem_blocks("words\n" + block("CERTIFICATE") + block("CERTIFICATE") + block("RSA PRIVATE KEY")),
            "2 x CERTIFICATE, RSA PRIVATE KEY");
  EXPECT_EQ(pem_blocks(block("a\x1b[2J")), "a\\x1b[2J");
}

TEST(Pem, says_what_was_found_and_what_is_needed) {
  struct Case {
    std::string text;
    PemUse use;
    std::string words;
  };
  const std::string cut = "-----BEGIN CERTIFICATE-----\nMIIB";
  for (const Case& one :
       {Case{"AAA", PemUse::certificates, "3 bytes without a -----BEGIN line were found; a CERTIFICATE"},
        Case{block("PRIVATE KEY"), PemUse::certificates, "PRIVATE KEY was found; a CERTIFICATE"},
        Case{block("CERTIFICATE"), PemUse::key, "CERTIFICATE was found; an unencrypted PRIVATE KEY"},
        Case{block("PUBLIC KEY"), PemUse::key, "PUBLIC KEY was found"},
        Case{block("ENCRYPTED PRIVATE KEY"), PemUse::key, "an encrypted private key was found"},
        Case{block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"), PemUse::key, "an encrypted private key was found"},
        Case{cut, PemUse::certificates, "it is cut short"},
        Case{cut + "\n" + block("PRIVATE KEY"), PemUse::certificates, "it is cut short"}}) {
    EXPECT_THAT(why_no_pem(one.text, one.use), HasSubstr(one.words));
  }
}

TEST(Pem, has_nothing_against_what_is_right) {
  EXPECT_EQ(why_no_pem(block("CERTIFICATE"), PemUse::certificates), "");
  EXPECT_EQ(why_no_pem(block("PRIVATE KEY") + block("CERTIFICATE"), PemUse::certificates), "");
  EXPECT_EQ(why_no_pem(block("EC PARAMETERS") + block("EC PRIVATE KEY"), PemUse::key), "");
}

TEST(Pem, never_shows_a_secret) {
  const std::string secret = "c2VjcmV0";
  for (const std::string& text : {secret, block("ENCRYPTED PRIVATE KEY", secret), block("CERTIFICATE", secret)}) {
    EXPECT_THAT(why_no_pem(text, PemUse::key), testing::Not(HasSubstr(secret)));
  }
}

TEST(Pem, shows_little_of_a_label_and_no_control_characters) {
  const std::string label = "\x1b[2J" + std::string(5000, 'x') + " PRIVATE KEY";
  const std::string why = why_no_pem("-----BEGIN " + label + "-----\nMIIB", PemUse::key);
  EXPECT_THAT(why, testing::StartsWith("a -----BEGIN \\x1b[2Jxxx"));
  EXPECT_LT(why.size(), 150U);
}

}  // namespace
}  // namespace konductor::io
