#include "fuzz/fuzz.hpp"
#include "kube/base64.hpp"
#include "kube/jwt.hpp"
#include "kube/time.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

std::string base64url(std::string_view bytes) {
  std::string text = kube::encode_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text.substr(0, text.find('='));
}

void check(std::string_view jwt) {
  const auto token = kube::bound_token_claims(jwt);
  if (!token) return;
  expect(std::ranges::count(jwt, '.') == 2, "a token has three parts");
  expect(!token->ns.empty(), "a bound token has a namespace");
  expect(!token->expiry || kube::parse_rfc3339(kube::to_rfc3339(*token->expiry)), "its end can be written");
}

}  // namespace

/// The text of a token, and the same bytes as the claims of one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check(text);
  check("e30." + base64url(text) + ".c2ln");
  return 0;
}
