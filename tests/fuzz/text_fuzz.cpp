#include "fuzz/fuzz.hpp"
#include "host/json_text.hpp"
#include "kube/request.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

using namespace konductor;
using fuzz::expect;

/// Foreign text on its way to a terminal or into an object.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string shown = kube::visible(text);
  expect(host::is_text(shown), "what is shown is UTF-8");
  expect(kube::visible(shown) == shown, "and showing it again changes nothing");
  expect(shown.find_first_of(std::string_view("\0\x1b\n\r\x7f", 5)) == std::string::npos,
         "nothing commands a terminal");
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{80}}) {
    const std::string line = kube::one_line(text, limit);
    expect(line.size() <= limit + 3, "a line is bounded");
    expect(host::is_text(line), "a line is not cut inside of a character");
    expect(line.find_first_of("\n\r\t") == std::string::npos, "a line is one");
    const std::string cut = host::cut_text(text, limit);
    expect(cut.size() <= limit && text.starts_with(cut), "what is cut is the beginning");
    expect(!host::is_text(text) || host::is_text(cut), "text is not cut inside of a character");
  }
  const std::string quoted = kube::quoted(text);
  expect(quoted.size() >= 2 && quoted.size() <= 85, "a quotation is short");
  // What an object may carry is what JSON can: the two ideas of UTF-8 are the same.
  const std::string json =
      nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  expect(nlohmann::json::accept(json), "invalid text is replaced");
  if (host::is_text(text)) expect(nlohmann::json::parse(json) == std::string(text), "valid text is not");
  const std::string encoded = kube::percent_encode(text);
  expect(encoded.find_first_of(" /?#&=+\r\n") == std::string::npos, "what is encoded has no delimiter");
  return 0;
}
