#include "fuzz/fuzz.hpp"
#include "io/pem.hpp"
#include "kube/text.hpp"

#include <string>
#include <string_view>

using namespace konductor;
using fuzz::expect;

/// The text of a certificate or a key, before OpenSSL sees it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  for (const auto use : {io::PemUse::certificates, io::PemUse::key}) {
    const std::string why = io::why_no_pem(text, use);
    expect(why.size() < 1000, "what is wrong is said in a bounded sentence");
    expect(kube::visible(why) == why, "and can be shown on a terminal");
    expect(!why.empty() || text.find("-----END ") != std::string_view::npos, "what is taken is complete");
  }
  expect(io::pem_blocks(text).size() <= 300, "the list of blocks is bounded");
  return 0;
}
