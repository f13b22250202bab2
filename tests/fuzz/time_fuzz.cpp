#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kondctl/table.hpp"
#include "kube/time.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;
using namespace std::chrono_literals;

void check_rfc3339(std::string_view text) {
  const auto time = kube::parse_rfc3339(text);
  if (!time) return fuzz::expect_sentence(time.error());
  expect(!kondctl::age(text, *time + 90s).empty(), "a time has an age");
  const std::string micro = kube::to_rfc3339_micro(*time);
  const auto again = kube::parse_rfc3339(micro);
  expect(again.has_value(), "what is written can be read");
  // An offset may carry a time out of the years 0 to 9999, which is then shown as the nearest inside.
  const bool inside = *time >= *kube::parse_rfc3339("0000-01-01T00:00:00Z") &&
                      *time <= *kube::parse_rfc3339("9999-12-31T23:59:59.999999Z");
  expect(!inside || *again == *time, "a time survives being written");
  expect(kube::to_rfc3339_micro(*again) == micro, "and is then always written the same");
  const auto whole = kube::parse_rfc3339(kube::to_rfc3339(*time));
  expect(whole && *whole <= *again && *again - *whole < 1s, "whole seconds are rounded down");
}

}  // namespace

/// A time of RFC 3339, or of an HTTP header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_rfc3339(text);
  const auto date = kube::parse_http_date(text);
  expect(!date || date->time_since_epoch() % 1s == 0s, "an HTTP date has whole seconds");
  expect(!date || text.size() == 29, "an HTTP date has one length");
  return 0;
}
