#include "vtable.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dlfcn.h>
#include <map>

namespace konductor::plugin_test {
namespace {

std::string text(konductor_str value) {
  return value.size == 0 ? std::string() : std::string(value.data, value.size);
}
konductor_str borrowed(const std::string& value) {
  return {value.data(), value.size()};
}
Output& output_of(void* context) {
  return *static_cast<Output*>(context);
}

void on_verdict(void* context, std::size_t index, const konductor_verdict* verdict) noexcept {
  output_of(context).verdicts.push_back({index, verdict->kind, text(verdict->reason), text(verdict->message)});
}
void on_state(void* context, konductor_str json) noexcept {
  output_of(context).state = text(json);
}
void on_status(void* context, konductor_str json) noexcept {
  output_of(context).status = text(json);
}
void on_condition(void* context, konductor_str type, konductor_condition_status status, konductor_str reason,
                  konductor_str message) noexcept {
  output_of(context).conditions.push_back({text(type), status, text(reason), text(message)});
}
void on_need(void*, const konductor_need*) noexcept {
  ADD_FAILURE() << "no need was expected";
}
void on_look_again_at(void* context, std::int64_t time) noexcept {
  auto& earliest = output_of(context).look_again_at;
  if (!earliest || time < *earliest) earliest = time;
}
void on_event(void* context, konductor_event_type, konductor_str reason, konductor_str message) noexcept {
  output_of(context).events.push_back(text(reason) + ": " + text(message));
}

}  // namespace

const konductor_plugin& load(const std::string& path) {
  static std::map<std::string, const konductor_plugin*> loaded;
  const konductor_plugin*& plugin = loaded[path];
  if (plugin == nullptr) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) plugin = static_cast<const konductor_plugin*>(dlsym(library, "konductor_plugin_v1"));
    if (plugin == nullptr) throw std::runtime_error(dlerror());
  }
  return *plugin;
}

std::vector<std::size_t> Output::with(konductor_verdict_kind kind) const {
  std::vector<std::size_t> claims;
  for (const auto& verdict : verdicts) {
    if (verdict.kind == kind) claims.push_back(verdict.claim);
  }
  return claims;
}

std::string Output::reason_of(std::size_t claim) const {
  for (const auto& verdict : verdicts) {
    if (verdict.claim == claim) return verdict.reason;
  }
  return {};
}

std::string Output::message_of(std::size_t claim) const {
  for (const auto& verdict : verdicts) {
    if (verdict.claim == claim) return verdict.message;
  }
  return {};
}

std::int64_t Output::shown(const char* member) const {
  return nlohmann::json::parse(status).at(member);
}

const RecordedCondition* Output::condition(const std::string& type) const {
  for (const auto& one : conditions) {
    if (one.type == type) return &one;
  }
  return nullptr;
}

Output decide(const konductor_kind& kind, const World& world) {
  std::vector<std::string> uids(world.claims.size());
  std::vector<konductor_value> values(world.claims.size());
  std::vector<konductor_claim> claims(world.claims.size());
  std::vector<const konductor_claim*> pointers;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const TestClaim& from = world.claims[i];
    uids[i] = "uid-" + std::to_string(i);
    values[i].type = KONDUCTOR_STRING;
    values[i].present = from.text ? 1 : 0;
    if (from.text) values[i].string = borrowed(*from.text);
    if (from.number) values[i] = {KONDUCTOR_INTEGER, 1, *from.number, {}};
    claims[i].participant = borrowed(from.participant);
    claims[i].struct_size = sizeof(konductor_claim);
    claims[i].state = from.state;
    claims[i].uid = claims[i].key = claims[i].holder = borrowed(uids[i]);
    claims[i].units = from.units;
    claims[i].priority = from.priority;
    claims[i].created = from.created.value_or(static_cast<std::int64_t>(i));
    claims[i].no_wait = from.no_wait ? 1 : 0;
    claims[i].completion_index = -1;
    claims[i].fields = &values[i];
    claims[i].field_count = kind.claim_field_count;
    pointers.push_back(&claims[i]);
  }
  const std::string name = "name";
  konductor_input input{};
  input.struct_size = sizeof(input);
  input.max_grants = world.max_grants;
  input.name = input.namespace_name = input.uid = borrowed(name);
  input.spec = borrowed(world.spec);
  input.state = borrowed(world.state);
  input.now = world.now;
  input.claims = pointers.data();
  input.claim_count = pointers.size();

  Output output;
  const konductor_sink sink = {sizeof(konductor_sink), 0,       &output,          on_verdict, on_state, on_status,
                               on_condition,           on_need, on_look_again_at, on_event};
  output.returned = kind.decide(&input, &sink);
  return output;
}

void apply(World& world, const Output& output) {
  std::vector<TestClaim> after;
  for (std::size_t i = 0; i < world.claims.size(); ++i) {
    TestClaim claim = world.claims[i];
    bool stays = !(claim.no_wait && claim.state == KONDUCTOR_WAITING && output.granted().size() < world.max_grants);
    for (const auto& verdict : output.verdicts) {
      if (verdict.claim != i) continue;
      if (verdict.kind == KONDUCTOR_GRANT) claim.state = KONDUCTOR_GRANTED;
      if (verdict.kind == KONDUCTOR_GRANT) stays = true;
      if (verdict.kind == KONDUCTOR_GRANT_CONSUME || verdict.kind == KONDUCTOR_DENY) stays = false;
    }
    if (stays) after.push_back(claim);
  }
  world.claims = std::move(after);
  if (output.state) world.state = *output.state;
}

}  // namespace konductor::plugin_test
