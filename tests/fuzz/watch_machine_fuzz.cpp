#include "fuzz/fuzz.hpp"
#include "kube/json_fields.hpp"
#include "kube/resource_version.hpp"
#include "kube/text.hpp"
#include "runtime/watch_machine.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace konductor;
using fuzz::expect;
using Machine = runtime::WatchMachine;

Machine::Event event_of(std::string_view line) {
  const std::string rest(line.empty() ? line : line.substr(1));
  switch (line.empty() ? ' ' : line.front()) {
    case 'a': return Machine::ListAnswered{kube::Response{200, rest, 0, {}}};
    case 'g': return Machine::ListAnswered{kube::Response{410, rest, 0, {}}};
    case 't': return Machine::ListAnswered{kube::Response{429, rest, 3, {}}};
    case 'f': return Machine::ListAnswered{Error{Errc::unavailable, "connection refused"}};
    case 'o': return Machine::StreamOpened{};
    case 'r': return Machine::StreamRefused{kube::Response{403, rest, 0, {}}};
    case 'e': return Machine::StreamEnded{};
    case 'c': return Machine::StreamEnded{Error{Errc::unavailable, "cut"}};
    case 'i': return Machine::IdleTimeout{};
    case 'w': return Machine::WaitOver{};
    case 's': return Machine::Started{};
    default: return Machine::Line{std::string(line)};
  }
}

/// What a consumer may rely on.
class Consumer {
 public:
  void take(const runtime::ViewEvent& event) {
    using Kind = runtime::ViewEvent::Kind;
    if (event.kind == Kind::begin) {
      expect(!listing_, "a list begins once");
      listing_ = true;
    } else if (event.kind == Kind::synced) {
      expect(listing_ && !event.resource_version.empty(), "a list that ends has begun, and has a version");
      listing_ = false;
      synced_ = true;
      version_ = event.resource_version;
    } else if (event.kind == Kind::failed) {
      expect(!event.message.empty() && kube::visible(event.message) == event.message, "a failure has a sentence");
    } else if (event.kind == Kind::apply || event.kind == Kind::remove) {
      expect(event.object && event.object->is_object(), "an event has an object");
      expect(listing_ || synced_, "nothing is told before a list");
    }
    if (!listing_ && (event.kind == Kind::apply || event.kind == Kind::remove)) grow(event.resource_version);
  }
  [[nodiscard]] bool listing() const { return listing_; }

 private:
  void grow(const std::string& version) {
    const auto before = kube::parse_resource_version(version_);
    const auto now = kube::parse_resource_version(version);
    expect(now && (!before || *now >= *before), "versions of a stream never go back");
    version_ = version;
  }
  bool listing_ = false;
  bool synced_ = false;
  std::string version_;
};

}  // namespace

/// An answer or an event a line, in whatever order: none of them may make a view that is wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Machine machine({.resource = {"example.com", "v1", "widgets"}, .ns = {}, .field_selector = {}, .label_selector = {}});
  Consumer consumer;
  runtime::MonoTime now{};
  const auto resume = [&](const Machine::Event& event) {
    const auto step = machine.resume(event, now, 0.5);
    for (const auto& delta : step.deltas) consumer.take(delta);
    expect(!consumer.listing(), "a list is told as a whole");
    if (const auto* wait = std::get_if<Machine::Wait>(&step.action)) {
      expect(wait->duration > runtime::Duration{} && wait->duration <= std::chrono::hours{1}, "a pause is one");
    }
    now += std::chrono::seconds{1};
  };
  resume(Machine::Started{});
  for (const std::string& line : fuzz::split(fuzz::text_of(data, size))) resume(event_of(line));
  return 0;
}
