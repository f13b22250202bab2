#include "fuzz/fuzz.hpp"
#include "kube/base64.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using namespace konductor;
using fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string encoded = kube::encode_base64(text);
  expect(encoded.size() == (size + 2) / 3 * 4, "what is encoded has the length that RFC 4648 gives it");
  expect(kube::decode_base64(encoded) == text, "bytes survive being encoded");

  const auto decoded = kube::decode_base64(text);
  expect(!decoded || decoded->size() <= size * 3 / 4, "what is decoded is shorter");
  std::string dense(text);
  std::erase_if(dense, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  expect(decoded == kube::decode_base64(dense), "white space makes no difference");
  // The bits that the last character has too many may be anything.
  expect(!decoded || kube::decode_base64(kube::encode_base64(*decoded)) == decoded, "decoded bytes can be encoded");

  const auto url = kube::decode_base64url(text);
  expect(!url || text.find_first_of("+/= \n") == std::string_view::npos, "the alphabet of URLs has other letters");
  expect(!url || url->size() == size * 3 / 4, "and no padding");
  return 0;
}
