#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/proxy.hpp"

#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

void check_proxy(const kube::Proxy& proxy) {
  expect(!proxy.host.empty() && proxy.port != 0, "a proxy has a host and a port");
  expect(proxy.user.size() <= 255 && proxy.password.size() <= 255, "user and password fit into SOCKS");
  expect(proxy.origin.find('@') == std::string::npos, "its origin shows no password");
  const auto again = kube::parse_proxy_url(proxy.origin, "HTTPS_PROXY");
  expect(again && again->kind == proxy.kind && again->host == proxy.host && again->port == proxy.port,
         "its origin is the same proxy");
  expect(again && again->user.empty(), "its origin has no user");
}

}  // namespace

/// NO_PROXY, the proxy, and the server's host.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(fuzz::text_of(data, size));
  kube::ProxyVariables variables;
  variables.no_proxy = lines.next();
  variables.https_proxy = variables.http_proxy = lines.next();
  kube::ServerUrl server;
  server.host = lines.next();
  server.tls = lines.next() != "http";

  const auto parsed = kube::parse_proxy_url(variables.https_proxy, "HTTPS_PROXY");
  parsed ? check_proxy(*parsed) : fuzz::expect_sentence(parsed.error());

  const bool exempt = kube::is_exempt(variables.no_proxy, server.host, server.port);
  expect(exempt == kube::is_exempt(" ," + variables.no_proxy + ", ,", server.host, server.port),
         "empty entries make no difference");
  expect(kube::is_exempt(variables.no_proxy + ",*", server.host, server.port), "a star is about every host");
  expect(!exempt || !variables.no_proxy.empty(), "nothing is exempt from nothing");

  const auto chosen = kube::proxy_for(server, variables);
  if (!chosen) return fuzz::expect_sentence(chosen.error()), 0;
  expect(!exempt || !*chosen, "who is exempt has no proxy");
  expect(!*chosen || parsed, "only a proxy that can be understood is used");
  for (const char* local : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) {
    server.host = local;
    const auto none = kube::proxy_for(server, variables);
    expect(none && !*none, "one's own machine has no proxy");
  }
  return 0;
}
