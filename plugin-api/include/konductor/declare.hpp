#pragma once

#include <konductor/commands.hpp>
#include <konductor/decide.hpp>
#include <konductor/plugin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Declarations of a plugin as constant data. All of it is constexpr, so that nothing runs when the library is opened;
/// what a declaration points to (strings, lists) must have static storage.
namespace konductor::plugin {

constexpr konductor_names names(std::string_view kind, std::string_view plural, std::string_view singular,
                                std::string_view short_name = {}) noexcept {
  return {str(kind), str(plural), str(singular), str(short_name)};
}

/// `path` is dotted, from the root of the claim: "spec.mode".
constexpr konductor_field field(std::string_view path, konductor_value_type type) noexcept {
  return {str(path), type, 0};
}

/// A CEL rule at the root of the object.
constexpr konductor_rule rule(konductor_place place, std::string_view expression, std::string_view message) noexcept {
  return {place, 0, str(expression), str(message)};
}

constexpr konductor_column column(konductor_place place, std::string_view name, std::string_view type,
                                  std::string_view json_path, std::string_view description,
                                  std::int32_t priority = 0) noexcept {
  return {place, priority, str(name), str(type), str(json_path), str(description)};
}

/// `group` is empty for the core group.
constexpr konductor_observes observes(std::string_view group, std::string_view plural) noexcept {
  return {str(group), str(plural)};
}

/// Over when the primitive's phase is one of these.
constexpr konductor_wait wait_for(std::string_view open_phase, std::string_view failed_phase = {}) noexcept {
  return {sizeof(konductor_wait), 0, str(open_phase), str(failed_phase), {}, {}, {}};
}

/// The same of primitives that may serve in rounds: members of the primitive's spec, a claim's spec, and the
/// primitive's status.
constexpr konductor_wait in_rounds(konductor_wait wait, std::string_view rounds_field, std::string_view round_field,
                                   std::string_view served_round_field) noexcept {
  wait.rounds_field = str(rounds_field);
  wait.round_field = str(round_field);
  wait.served_round_field = str(served_round_field);
  return wait;
}

/// Builds a konductor_kind, member by member, as a constant:
///     constexpr konductor_kind door = Kind(KONDUCTOR_MODE_GRANTED).primitive(...).claim(...) ...
///     .decided_by<decide>();
class Kind {
 public:
  constexpr explicit Kind(konductor_mode mode) noexcept {
    kind_.struct_size = sizeof(konductor_kind);
    kind_.mode = mode;
    kind_.claim_lifetime = KONDUCTOR_WITH_POD;
  }
  constexpr Kind& primitive(konductor_names names, std::string_view description) noexcept {
    kind_.names = names;
    kind_.description = str(description);
    return *this;
  }
  constexpr Kind& claim(konductor_names names, std::string_view description) noexcept {
    kind_.claim = names;
    kind_.claim_description = str(description);
    return *this;
  }
  /// The member of a claim's spec that names its primitive.
  constexpr Kind& primitive_field(std::string_view name) noexcept { return set(kind_.primitive_field, name); }
  /// The member of a claim's spec that holds its units. The host adds it to the claim's schema: at least 1, default 1.
  constexpr Kind& units_field(std::string_view name) noexcept { return set(kind_.units_field, name); }
  constexpr Kind& claims_live(konductor_lifetime lifetime) noexcept {
    kind_.claim_lifetime = lifetime;
    return *this;
  }

  /// JSON: {"properties": {...}, "required": [...]} of the kind's own fields.
  constexpr Kind& spec(std::string_view schema) noexcept { return set(kind_.spec_schema, schema); }
  constexpr Kind& status(std::string_view schema) noexcept { return set(kind_.status_schema, schema); }
  constexpr Kind& claim_spec(std::string_view schema) noexcept { return set(kind_.claim_spec_schema, schema); }
  constexpr Kind& claim_status(std::string_view schema) noexcept { return set(kind_.claim_status_schema, schema); }

  template <std::size_t Count>
  constexpr Kind& claim_fields(const konductor_field (&fields)[Count]) noexcept {
    kind_.claim_fields = fields;
    kind_.claim_field_count = Count;
    return *this;
  }
  template <std::size_t Count>
  constexpr Kind& rules(const konductor_rule (&rules)[Count]) noexcept {
    kind_.rules = rules;
    kind_.rule_count = Count;
    return *this;
  }
  template <std::size_t Count>
  constexpr Kind& columns(const konductor_column (&columns)[Count]) noexcept {
    kind_.columns = columns;
    kind_.column_count = Count;
    return *this;
  }
  /// `commands` is what pointers() gives, with static storage.
  template <std::size_t Count>
  constexpr Kind& commands(const std::array<const konductor_command*, Count>& commands) noexcept {
    kind_.commands = commands.data();
    kind_.command_count = Count;
    return *this;
  }
  /// `kubectl scale` and autoscalers set the first and read the second, both integers: "spec.size", "status.size".
  constexpr Kind& scale(std::string_view spec_path, std::string_view status_path) noexcept {
    set(kind_.scale_spec_path, spec_path);
    return set(kind_.scale_status_path, status_path);
  }
  /// Claims stand for participants; the member of a claim's spec by which one names itself.
  constexpr Kind& participant_field(std::string_view name) noexcept { return set(kind_.participant_field, name); }
  /// How a wait for a primitive ends; `wait` must have static storage.
  constexpr Kind& waits(const konductor_wait& wait) noexcept {
    kind_.wait = &wait;
    return *this;
  }
  /// What decide asks to see.
  template <std::size_t Count>
  constexpr Kind& observing(const konductor_observes (&types)[Count]) noexcept {
    kind_.observes = types;
    kind_.observe_count = Count;
    return *this;
  }
  /// Last: Decide is `Answer decide(const Input&, const Sink&)`.
  template <auto Decide>
  [[nodiscard]] constexpr konductor_kind decided_by() const noexcept {
    konductor_kind made = kind_;
    made.decide = guarded<Decide>;
    return made;
  }

 private:
  constexpr Kind& set(konductor_str& member, std::string_view text) noexcept {
    member = str(text);
    return *this;
  }

  konductor_kind kind_{};
};

}  // namespace konductor::plugin
