#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "kondctl/command_line.hpp"
#include "kondctl/command_tree.hpp"
#include "kondctl/completion.hpp"
#include "kube/resource.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace konductor;
using fuzz::expect;
using kondctl::Completion;
using kondctl::Farewell;
using kondctl::Invocation;

void check(const Farewell& farewell) {
  const bool done = farewell.code == kondctl::ExitCode::done;
  expect(done || farewell.code == kondctl::ExitCode::usage, "a command line is answered, or it is wrong");
  expect(done == farewell.err.empty(), "what is wrong is said on stderr");
  expect(done != farewell.out.empty(), "help is on stdout");
  if (done) return;
  expect(farewell.err.starts_with("kondctl: ") && farewell.err.ends_with("\n"), "what is wrong is a sentence");
  expect(farewell.err.size() > 20 && farewell.err.size() < 2000, "and a short one");
  for (const std::string& line : fuzz::split(farewell.err)) {
    expect(kube::visible(line) == line, "and can be shown on a terminal");
  }
}

bool in_range(const nlohmann::json& value, std::int64_t minimum, std::int64_t maximum) {
  return value.is_number_integer() && value >= minimum && value <= maximum;
}

// A declared flag, of the Permit or of the Semaphore itself.
void check(const runtime::FixedValue& field, bool of_primitive) {
  const auto value = nlohmann::json::parse(field.json, nullptr, false);
  if (field.path == "spec.permits") {
    expect(of_primitive ? in_range(value, 0, 1'000'000) : in_range(value, 1, 2147483647), "permits are in their range");
  } else if (field.path == "spec.maxPriority") {
    expect(of_primitive && in_range(value, -1'000'000, 1'000'000), "a priority is in its range");
  } else {
    expect(of_primitive && (field.path == "spec.ttl" || field.path == "spec.priorityAging") && value.is_string(),
           "all else are durations");
  }
}

void check(const Invocation& invocation) {
  using namespace std::chrono_literals;
  if (invocation.purpose != Invocation::Purpose::action) return;
  expect(invocation.kind == &fuzz::semaphore_kind(), "an action is of a kind");
  expect(kondctl::has_action(invocation.action), "an action has code");
  if (invocation.action != runtime::Action::list) {
    expect(kube::why_not_dns_label(invocation.name).empty(), "a name is a label");
  }
  expect(invocation.global.ns.empty() || kube::why_not_dns_label(invocation.global.ns).empty(), "a namespace too");
  const auto& claim = invocation.claim;
  expect(!claim.ttl || (*claim.ttl >= 1s && *claim.ttl <= 8760h), "a TTL is in its range");
  expect(!claim.timeout || (*claim.timeout >= 1ms && *claim.timeout <= 8760h), "a timeout is in its range");
  expect(!claim.priority || (*claim.priority >= -1'000'000 && *claim.priority <= 1'000'000), "a priority too");
  expect(!claim.holder || (!claim.holder->empty() && claim.holder->size() <= 253), "a holder has a length");
  const bool writes = invocation.action == runtime::Action::create || invocation.action == runtime::Action::set;
  for (const auto& field : invocation.fields) check(field, writes);
  expect(!writes || !invocation.fields.empty(), "what is written says something");
}

void check(const Completion& completion, const std::string& last) {
  for (const Completion::Word& word : completion.words) {
    expect(word.text.starts_with(completion.before + completion.prefix), "what is offered goes on from what was typed");
    expect(!word.text.empty() && kube::one_line(word.text) == word.text, "and is one line");
  }
  expect(last.size() >= completion.prefix.size(), "nothing is made up");
}

}  // namespace

/// An argument a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> args = size == 0 ? std::vector<std::string>{} : fuzz::split(fuzz::text_of(data, size));
  // The kernel passes no NUL.
  for (std::string& arg : args) std::erase(arg, '\0');
  const std::vector<runtime::KindDeclaration> none;
  static const std::vector<runtime::KindDeclaration>* const kinds =
      new std::vector<runtime::KindDeclaration>{fuzz::semaphore_kind()};
  static_cast<void>(kondctl::first_look(args));
  static_cast<void>(kondctl::parse_command_line(args, none));
  static const auto* const commands = new kondctl::CommandDescription{kondctl::CommandTree(*kinds).describe()};
  check(kondctl::complete(*commands, args), args.empty() ? std::string{} : args.back());
  const kondctl::CommandLine line = kondctl::parse_command_line(args, *kinds);
  if (const auto* farewell = std::get_if<Farewell>(&line)) {
    check(*farewell);
  } else {
    Invocation invocation = std::get<Invocation>(line);
    if (invocation.kind == &kinds->front()) invocation.kind = &fuzz::semaphore_kind();
    check(invocation);
  }
  return 0;
}
