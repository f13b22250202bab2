#include "fuzz/fuzz.hpp"
#include "kube/text.hpp"
#include "runtime/elector.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace konductor;
using fuzz::expect;
using runtime::Elector;

Elector::Event event_of(std::string_view line) {
  const std::string rest(line.empty() ? line : line.substr(1));
  switch (line.empty() ? ' ' : line.front()) {
    case 'a': return Elector::Answered{kube::Response{200, rest, 0, {}}};
    case 'n': return Elector::Answered{kube::Response{404, R"({"kind":"Status","details":{"name":"l"}})", 0, {}}};
    case 'x': return Elector::Answered{kube::Response{409, rest, 0, {}}};
    case 'u': return Elector::Answered{kube::Response{503, rest, 5, {}}};
    case 'f': return Elector::Answered{Error{Errc::timeout, "no answer"}};
    case 's': return Elector::Shutdown{};
    default: return Elector::WaitOver{};
  }
}

}  // namespace

/// What a server says of the Lease: whoever wrote it, only a record that names us makes us lead.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Elector elector({.ns = "konductor", .name = "l", .identity = "me"});
  runtime::Now now{};
  const auto resume = [&](const Elector::Event& event) {
    const bool led = elector.leading();
    const auto action = elector.resume(event, now);
    if (elector.leading() && !led) expect(elector.holder() == "me", "only who is in the record leads");
    expect(kube::visible(elector.problem()) == elector.problem(), "a problem can be shown");
    if (const auto* send = std::get_if<Elector::Send>(&action)) {
      expect(send->until > now.mono, "a request has time");
      expect(send->request.body.empty() || nlohmann::json::accept(send->request.body), "a record is JSON");
      const auto spec =
          send->request.body.empty() ? nlohmann::json() : nlohmann::json::parse(send->request.body)["spec"];
      expect(!spec.contains("leaseTransitions") ||
                 (spec["leaseTransitions"] >= INT32_MIN && spec["leaseTransitions"] <= INT32_MAX),
             "the server takes 32 bits for the transitions");
    }
    if (std::holds_alternative<Elector::Done>(action)) expect(!elector.leading(), "who is done does not lead");
    now.mono += std::chrono::milliseconds{700};
    now.server += std::chrono::milliseconds{700};
    return !std::holds_alternative<Elector::Done>(action);
  };
  bool on = resume(Elector::Started{});
  for (const std::string& line : fuzz::split(fuzz::text_of(data, size))) {
    if (!on) break;
    on = resume(event_of(line));
  }
  return 0;
}
