#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/response.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

int number_in(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

/// The status, Retry-After, and the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(fuzz::text_of(data, size));
  kube::Response response;
  response.status = number_in(lines.next());
  response.retry_after_s = number_in(lines.next());
  response.body = lines.rest();
  const bool good = response.status >= 200 && response.status <= 299;

  const auto answer = kube::classify(response, "get widgets.example.com team-a/web");
  expect(!answer || (good && answer->is_object()), "only a 2xx answer with an object is a success");
  if (!answer) {
    fuzz::expect_sentence(answer.error());
    expect(answer.error().detail.starts_with("get widgets.example.com team-a/web: "), "the error says what was done");
    expect(!good || answer.error().code == Errc::protocol_violation, "a 2xx answer is no refusal");
    expect(
        response.status != 409 || answer.error().code == Errc::conflict || answer.error().code == Errc::already_exists,
        "a conflict is never taken for something else");
    expect(
        response.status != 404 || answer.error().code == Errc::not_found || answer.error().code == Errc::not_installed,
        "what is absent is never taken for something else");
  }
  const nlohmann::json status = nlohmann::json::parse(response.body, nullptr, false);
  if (!status.is_discarded()) fuzz::expect_sentence(kube::error_of_status(status, 500, {}));
  return 0;
}
