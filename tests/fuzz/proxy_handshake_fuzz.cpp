#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/proxy_handshake.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace konductor;
using fuzz::expect;

struct Outcome {
  bool done = false;
  std::optional<Errc> code;  // how it failed
  std::string sent;
  std::size_t used = 0;  // bytes of the proxy
};

/// Until it is over; a proxy that speaks before it is asked is heard once it has been asked.
bool take(const Result<kube::ProxyHandshake::Step>& step, Outcome& outcome) {
  if (!step) {
    fuzz::expect_sentence(step.error());
    outcome.code = step.error().code;
    return false;
  }
  outcome.sent += step->send;
  outcome.done = step->done;
  expect(!step->done || step->send.empty(), "what is over sends nothing");
  return !step->done;
}

Outcome shake(const kube::Proxy& proxy, const std::vector<std::string_view>& answers) {
  kube::ProxyHandshake handshake(proxy, "api.example.com", 6443, "konductor/1");
  Outcome outcome;
  outcome.sent = handshake.start();
  for (const std::string_view answer : answers) {
    outcome.used += answer.size();
    const std::size_t sent_before = outcome.sent.size();
    if (!take(handshake.feed(answer), outcome)) return outcome;
    if (outcome.sent.size() == sent_before) continue;
    // It may have everything already that it waits for.
    for (int i = 0; i < 3; ++i) {
      if (!take(handshake.feed({}), outcome)) return outcome;
    }
  }
  const bool open = take(handshake.end(), outcome);
  expect(!open || proxy.kind != kube::Proxy::Kind::socks5, "a closed connection ends it");
  return outcome;
}

}  // namespace

/// One character chooses the proxy; the rest is what it answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all = fuzz::text_of(data, size);
  kube::Proxy proxy;
  proxy.kind = all[0] == 'h' || all[0] == 'H' ? kube::Proxy::Kind::http : kube::Proxy::Kind::socks5;
  if (all[0] == 'H' || all[0] == 'S') {
    proxy.user = "u";
    proxy.password = "s3cret";
  }
  proxy.given_by = "HTTPS_PROXY";
  const std::string_view answer = all.substr(1);
  fuzz::Numbers numbers(all);
  const Outcome bytewise = shake(proxy, fuzz::cut(answer, numbers, 1));
  for (const auto& pieces : {std::vector{answer}, fuzz::cut(answer, numbers, 8), fuzz::cut(answer, numbers, 200)}) {
    const Outcome outcome = shake(proxy, pieces);
    // After the end of the handshake the server must not speak first: that shows only where it comes along.
    const bool spoke_first = bytewise.done && bytewise.used < answer.size();
    expect(spoke_first || outcome.done == bytewise.done, "where the answer is cut opens no tunnel, and closes none");
    expect(spoke_first || outcome.code == bytewise.code, "where the answer is cut changes no error");
    expect(spoke_first || outcome.sent == bytewise.sent, "where the answer is cut changes nothing that is sent");
    expect(!spoke_first || outcome.done || outcome.code == Errc::protocol_violation, "too much is a violation");
  }
  return 0;
}
