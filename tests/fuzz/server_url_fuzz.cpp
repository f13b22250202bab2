#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/server_url.hpp"

#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

std::string text_of(const kube::ServerUrl& url) {
  return (url.tls ? "https://" : "http://") + kube::with_brackets(url.host) + ":" + std::to_string(url.port) +
         url.base_path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto url = kube::parse_server_url(text, "kubeconfig");
  if (url) {
    expect(!url->host.empty() && url->port != 0, "a server has a host and a port");
    expect(!url->base_path.ends_with('/'), "a path has no slash at its end");
    // Both go into the head of a request.
    expect(url->host.find_first_of("\r\n \t/@") == std::string::npos, "a host is a word");
    expect(url->base_path.find_first_of("\r\n \t?#") == std::string::npos, "a path is a word");
    const auto again = kube::parse_server_url(text_of(*url), "kubeconfig");
    expect(again && *again == *url, "a server survives being written");
  } else {
    fuzz::expect_sentence(url.error());
  }
  const auto with_user = kube::parse_server_url("https://u:S3CRET@" + std::string(text), "kubeconfig");
  expect(!with_user, "a password in it is not supported");
  expect(text.find("S3CRET") != std::string_view::npos || with_user.error().detail.find("S3CRET") == std::string::npos,
         "and is not shown");
  const auto place = kube::parse_host_port(text, 443);
  expect(!place || !place->host.empty(), "a place has a host");
  return 0;
}
