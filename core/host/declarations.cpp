#include "host/declarations.hpp"

#include "host/declaration_check.hpp"
#include "host/growing.hpp"
#include "host/json_text.hpp"
#include "host/words.hpp"

#include <optional>
#include <utility>

namespace konductor::host {
namespace {

using runtime::KindDeclaration;

constexpr std::size_t max_kinds = 64;
constexpr std::size_t max_items = 256;
constexpr std::size_t max_text = std::size_t{256} << 10U;

/// Copies strings and lists of the ABI and keeps the first thing that is wrong with them.
class Reader {
 public:
  [[nodiscard]] const std::string& failure() const { return failure_; }
  void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }

  std::string text(konductor_str from, std::string_view member) {
    if (from.size == 0) return {};
    if (from.data == nullptr) {
      fail(std::string(member) + ": is a null pointer with a length");
      return {};
    }
    if (from.size > max_text) {
      fail(std::string(member) + ": has " + std::to_string(from.size) + " bytes, more than " +
           std::to_string(max_text));
      return {};
    }
    std::string copy(from.data, from.size);
    if (!is_text(copy)) fail(std::string(member) + ": is not UTF-8 text");
    return copy;
  }

  /// How many items of a list can be read: none after a failure.
  std::size_t count(const void* items, std::size_t size, std::string_view member, std::size_t most = max_items) {
    if (size == 0) return 0;
    if (size > most) {
      fail(std::string(member) + ": has " + std::to_string(size) + " items, more than " + std::to_string(most));
      return 0;
    }
    if (items == nullptr) {
      fail(std::string(member) + ": is a null pointer, but should have " + std::to_string(size) + " items");
      return 0;
    }
    return size;
  }

  runtime::Names names(const konductor_names& from, const std::string& member) {
    return {text(from.kind, member + ".kind"), text(from.plural, member + ".plural"),
            text(from.singular, member + ".singular"), text(from.short_name, member + ".short_name")};
  }

  runtime::ValueType type(konductor_value_type from, const std::string& member) {
    switch (from) {
      case KONDUCTOR_STRING: return runtime::ValueType::string;
      case KONDUCTOR_INTEGER: return runtime::ValueType::integer;
      case KONDUCTOR_BOOLEAN: return runtime::ValueType::boolean;
      case KONDUCTOR_DURATION: return runtime::ValueType::duration;
      default: fail(member + ": " + std::to_string(from) + " is no known type"); return {};
    }
  }

  runtime::Place place(konductor_place from, const std::string& member) {
    if (from != KONDUCTOR_OF_PRIMITIVE && from != KONDUCTOR_OF_CLAIM) {
      fail(member + ": " + std::to_string(from) + " is no known place");
    }
    return from == KONDUCTOR_OF_CLAIM ? runtime::Place::claim : runtime::Place::primitive;
  }

 private:
  std::string failure_;
};

std::string at(const char* list, std::size_t index, const char* member) {
  return std::string(list) + "[" + std::to_string(index) + "]." + member;
}

runtime::Mode mode_of(konductor_mode from, Reader& reader) {
  switch (from) {
    case KONDUCTOR_MODE_GRANTED: return runtime::Mode::granted;
    case KONDUCTOR_MODE_COUNTED: return runtime::Mode::counted;
    case KONDUCTOR_MODE_OBSERVED: return runtime::Mode::observed;
    default: reader.fail("mode: this host does not know mode " + std::to_string(from)); return {};
  }
}

runtime::Lifetime lifetime_of(const konductor_kind& from, Reader& reader) {
  switch (from.claim_lifetime) {
    case KONDUCTOR_WITH_POD: return runtime::Lifetime::with_pod;
    case KONDUCTOR_WITH_PRIMITIVE: return runtime::Lifetime::with_primitive;
    default:
      if (from.mode != KONDUCTOR_MODE_OBSERVED) {
        reader.fail("claim_lifetime: this host does not know " + std::to_string(from.claim_lifetime));
      }
      return {};
  }
}

// Bounds of 0 and 0 mean that the plugin gives none.
runtime::FlagDeclaration flag_of(const konductor_flag& from, std::size_t i, Reader& reader) {
  runtime::FlagDeclaration flag;
  flag.name = reader.text(from.name, at("flags", i, "name"));
  flag.placeholder = reader.text(from.placeholder, at("flags", i, "placeholder"));
  flag.help = reader.text(from.help, at("flags", i, "help"));
  flag.path = reader.text(from.path, at("flags", i, "path"));
  flag.type = reader.type(from.type, at("flags", i, "type"));
  flag.required = from.required != 0;
  if (from.minimum != 0 || from.maximum != 0) {
    flag.minimum = from.minimum;
    flag.maximum = from.maximum;
  }
  return flag;
}

/// Nothing where the action is not known here: a newer plugin's command, left out.
std::optional<runtime::CommandDeclaration> command_of(const konductor_command* given, std::size_t i, Reader& reader) {
  if (given == nullptr) {
    reader.fail("commands[" + std::to_string(i) + "]: is a null pointer");
    return std::nullopt;
  }
  const auto from = copy_growing(given);
  if (!member_present(from.struct_size, offsetof(konductor_command, fixed_count), sizeof(from.fixed_count))) {
    reader.fail(at("commands", i, "struct_size") + ": " + std::to_string(from.struct_size) + " is too small");
    return std::nullopt;
  }
  if (from.action < KONDUCTOR_ACQUIRE || from.action > KONDUCTOR_JOIN) return std::nullopt;
  runtime::CommandDeclaration command;
  command.action = static_cast<runtime::Action>(from.action);
  command.verb = reader.text(from.verb, at("commands", i, "verb"));
  command.summary = reader.text(from.summary, at("commands", i, "summary"));
  const auto flags = reader.count(from.flags, from.flag_count, at("commands", i, "flags"));
  for (std::size_t f = 0; f < flags; ++f) command.flags.push_back(flag_of(from.flags[f], f, reader));
  const auto fixed = reader.count(from.fixed, from.fixed_count, at("commands", i, "fixed"));
  for (std::size_t f = 0; f < fixed; ++f) {
    command.fixed.push_back({reader.text(from.fixed[f].path, at("fixed", f, "path")),
                             reader.text(from.fixed[f].json, at("fixed", f, "json"))});
  }
  return command;
}

void read_words(const konductor_kind& from, KindDeclaration& kind, Reader& reader) {
  kind.mode = mode_of(from.mode, reader);
  kind.claim_lifetime = lifetime_of(from, reader);
  kind.description = reader.text(from.description, "description");
  kind.claim_description = reader.text(from.claim_description, "claim_description");
  kind.names = reader.names(from.names, "names");
  kind.claim = reader.names(from.claim, "claim");
  kind.spec_schema = reader.text(from.spec_schema, "spec_schema");
  kind.status_schema = reader.text(from.status_schema, "status_schema");
  kind.claim_spec_schema = reader.text(from.claim_spec_schema, "claim_spec_schema");
  kind.claim_status_schema = reader.text(from.claim_status_schema, "claim_status_schema");
  kind.primitive_field = reader.text(from.primitive_field, "primitive_field");
  kind.units_field = reader.text(from.units_field, "units_field");
  kind.scale.spec = reader.text(from.scale_spec_path, "scale_spec_path");
  kind.scale.status = reader.text(from.scale_status_path, "scale_status_path");
  kind.participant_field = reader.text(from.participant_field, "participant_field");
}

void read_wait(const konductor_kind& from, KindDeclaration& kind, Reader& reader) {
  if (from.wait == nullptr) return;
  const auto wait = copy_growing(from.wait);
  if (!member_present(wait.struct_size, offsetof(konductor_wait, served_round_field), sizeof(konductor_str)))
    return reader.fail("wait.struct_size: " + std::to_string(wait.struct_size) + " is too small");
  kind.wait.open_phase = reader.text(wait.open_phase, "wait.open_phase");
  kind.wait.failed_phase = reader.text(wait.failed_phase, "wait.failed_phase");
  kind.wait.rounds_field = reader.text(wait.rounds_field, "wait.rounds_field");
  kind.wait.round_field = reader.text(wait.round_field, "wait.round_field");
  kind.wait.served_round_field = reader.text(wait.served_round_field, "wait.served_round_field");
}

void read_lists(const konductor_kind& from, KindDeclaration& kind, Reader& reader) {
  const auto fields = reader.count(from.claim_fields, from.claim_field_count, "claim_fields");
  for (std::size_t i = 0; i < fields; ++i) {
    const auto& field = from.claim_fields[i];
    kind.claim_fields.push_back({reader.text(field.path, at("claim_fields", i, "path")),
                                 reader.type(field.type, at("claim_fields", i, "type"))});
  }
  const auto rules = reader.count(from.rules, from.rule_count, "rules");
  for (std::size_t i = 0; i < rules; ++i) {
    const auto& rule = from.rules[i];
    kind.rules.push_back({reader.place(rule.place, at("rules", i, "place")),
                          reader.text(rule.rule, at("rules", i, "rule")),
                          reader.text(rule.message, at("rules", i, "message"))});
  }
  const auto columns = reader.count(from.columns, from.column_count, "columns");
  for (std::size_t i = 0; i < columns; ++i) {
    const auto& column = from.columns[i];
    kind.columns.push_back({reader.place(column.place, at("columns", i, "place")), column.priority,
                            reader.text(column.name, at("columns", i, "name")),
                            reader.text(column.type, at("columns", i, "type")),
                            reader.text(column.json_path, at("columns", i, "json_path")),
                            reader.text(column.description, at("columns", i, "description"))});
  }
  const auto types = reader.count(from.observes, from.observe_count, "observes");
  for (std::size_t i = 0; i < types; ++i) {
    kind.observes.push_back({reader.text(from.observes[i].group, at("observes", i, "group")),
                             reader.text(from.observes[i].plural, at("observes", i, "plural"))});
  }
  const auto commands = reader.count(static_cast<const void*>(from.commands), from.command_count, "commands");
  for (std::size_t i = 0; i < commands; ++i) {
    if (auto command = command_of(from.commands[i], i, reader)) kind.commands.push_back(std::move(*command));
  }
}

Error refused(std::string_view who, const std::string& why) {
  return Error{Errc::plugin_incompatible, std::string(who) + ": " + why};
}

}  // namespace

Result<KindDeclaration> declare_kind(const konductor_kind& given, std::string_view who, const MonoClock& clock) {
  const auto from = copy_growing(&given);
  if (!member_present(from.struct_size, offsetof(konductor_kind, decide), sizeof(from.decide))) {
    return refused(who, "kind: struct_size " + std::to_string(from.struct_size) + " is too small, expected at least " +
                            std::to_string(offsetof(konductor_kind, decide) + sizeof(from.decide)));
  }
  KindDeclaration kind;
  Reader reader;
  read_words(from, kind, reader);
  const std::string where =
      std::string(who) + ": kind " + (kind.names.kind.empty() ? "without a name" : kind.names.kind);
  read_lists(from, kind, reader);
  read_wait(from, kind, reader);
  if (from.decide == nullptr) reader.fail("decide: is a null pointer");
  if (!reader.failure().empty()) return refused(where, reader.failure());
  if (const auto why = why_not_valid(kind); !why.empty()) return refused(where, why);
  kind.decide = adapt_decide(from.decide, kind, where, clock);
  return kind;
}

Result<PluginDeclaration> declare_plugin(const konductor_plugin& given, const MonoClock& clock) {
  const auto from = copy_growing(&given);
  if (!member_present(from.struct_size, offsetof(konductor_plugin, kind_count), sizeof(from.kind_count))) {
    return refused("plugin", "struct_size " + std::to_string(from.struct_size) + " is too small, expected at least " +
                                 std::to_string(offsetof(konductor_plugin, kind_count) + sizeof(from.kind_count)));
  }
  Reader reader;
  PluginDeclaration plugin{
      reader.text(from.name, "name"), reader.text(from.version, "version"), from.abi_major, from.min_host_minor, {}};
  const std::string who = "plugin " + (plugin.name.empty() ? "without a name" : plugin.name);
  if (!is_resource_word(plugin.name)) reader.fail("name: is not a lower-case DNS label");
  if (!is_semantic_version(plugin.version)) reader.fail("version: \"" + plugin.version + "\" is not of the form 1.2.3");
  if (from.kind_count == 0) reader.fail("kinds: there are none");
  const auto count = reader.count(static_cast<const void*>(from.kinds), from.kind_count, "kinds", max_kinds);
  if (!reader.failure().empty()) return refused(who, reader.failure());

  for (std::size_t i = 0; i < count; ++i) {
    if (from.kinds[i] == nullptr) return refused(who, "kinds[" + std::to_string(i) + "]: is a null pointer");
    auto kind = declare_kind(*from.kinds[i], who, clock);
    if (!kind) return kind.error();
    kind->plugin_name = plugin.name;
    kind->plugin_version = plugin.version;
    if (const auto why = why_names_collide(plugin.kinds, *kind); !why.empty()) return refused(who, why);
    plugin.kinds.push_back(std::move(*kind));
  }
  return plugin;
}

}  // namespace konductor::host
