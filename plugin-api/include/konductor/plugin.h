/* The C ABI between Konductor's hosts (the operator `konductor`, the client `kondctl`) and plugins.
 *
 * DRAFT: until it is released as 1.0 anything here may still change.
 *
 * A plugin is policy, a host is mechanism. A plugin declares kinds and, for each, one pure function `decide` that looks
 * at one primitive and its claims and says who gets what. It does no I/O, has no clock, no threads, no client.
 *
 * RULES OF THE BOUNDARY
 *  - A struct is FROZEN (its layout never changes) or GROWS (it crosses by pointer only, carries its size in
 *    `struct_size`, and new members are added at its end). A reader must not look at a member beyond `struct_size`.
 *  - Enumerators are int32_t constants and are never renumbered. An unknown one is treated as the comment at its enum
 * says.
 *  - What a call receives is borrowed until that call returns. Nothing is allocated on one side and freed on the other.
 *  - A string is pointer and length, UTF-8, not terminated by NUL. Length 0 means absent; then the pointer may be null.
 *  - All times are microseconds since the Unix epoch by the API server's clock; all durations are microseconds.
 *  - No exception may leave a plugin's function. [main-thread]: the host calls it on its one thread, never
 * concurrently.
 *  - Declarations are constant-initialised data that live as long as the library, which is never unloaded.
 */
#ifndef KONDUCTOR_PLUGIN_H
#define KONDUCTOR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define KONDUCTOR_NOEXCEPT noexcept
#else
#define KONDUCTOR_NOEXCEPT
#endif

/* The ABI of this header. A host loads a plugin whose major is its own and whose oldest host minor is at most its own.
 * A plugin states the oldest host minor that it *needs*: raised on purpose, never by compiling against a newer header.
 */
#define KONDUCTOR_ABI_MAJOR 1
#define KONDUCTOR_ABI_MINOR 0

#define KONDUCTOR_EXPORT __attribute__((visibility("default")))

/* FROZEN. */
typedef struct konductor_str {
  const char* data;
  size_t size;
} konductor_str;

/* A string literal as a constant konductor_str. */
#define KONDUCTOR_STR(literal) {(literal), sizeof(literal) - 1}

/* ------------------------------------------------------------------ values */

typedef int32_t konductor_value_type;
enum {
  KONDUCTOR_STRING = 1,
  KONDUCTOR_INTEGER = 2,
  KONDUCTOR_BOOLEAN = 3, /* in `integer`: 0 or 1 */
  KONDUCTOR_DURATION = 4 /* in `integer`: microseconds; a string such as "1h30m" in the object */
};

/* FROZEN. The value of a typed field. `present` is 0 where the object lacks it or holds another type. */
typedef struct konductor_value {
  konductor_value_type type;
  int32_t present;
  int64_t integer;
  konductor_str string;
} konductor_value;

/* FROZEN. A field of a claim that decide reads: the host extracts it once per watch event. `path` is dotted, from the
 * root of the claim: "spec.mode". */
typedef struct konductor_field {
  konductor_str path;
  konductor_value_type type;
  int32_t reserved;
} konductor_field;

/* ------------------------------------------------------------------ decide: input */

/* What a claim is to its primitive. An unknown one counts as holding. */
typedef int32_t konductor_claim_state;
enum {
  KONDUCTOR_WAITING = 1,  /* asks, and has nothing */
  KONDUCTOR_GRANTED = 2,  /* holds `units`; also what was recorded and perhaps not told yet */
  KONDUCTOR_REVOKING = 3, /* holds `units`, and was told to stop */
  KONDUCTOR_ENDED = 4     /* terminal, holds nothing; only kinds of mode KONDUCTOR_MODE_COUNTED see it */
};

/* Of the Pod that a claim names. An unknown one counts as alive. */
typedef int32_t konductor_pod_state;
enum {
  KONDUCTOR_POD_NONE = 0, /* the claim names no Pod */
  KONDUCTOR_POD_ALIVE = 1,
  KONDUCTOR_POD_SUCCEEDED = 2,
  KONDUCTOR_POD_FAILED = 3,
  KONDUCTOR_POD_GONE = 4,
  KONDUCTOR_POD_UNKNOWN = 5
};

/* GROWS. One claim. The host sorts claims by priority (higher first), then age, then name; expired ones and, where
 * claims live with their Pods, those of dead Pods are left out. */
typedef struct konductor_claim {
  uint32_t struct_size;
  konductor_claim_state state;
  konductor_str uid;
  konductor_str key;    /* "namespace/name" */
  konductor_str holder; /* shown to people */
  int64_t units;        /* of the field that the kind names in `units_field`; 1 without such a field */
  int64_t priority;
  int64_t created;  /* when it asked: by age, ties are broken by the host's order */
  int64_t deadline; /* the host's estimate of when its TTL is over; 0: none */
  int64_t token;    /* fencing token; 0 while waiting */
  int32_t no_wait;  /* 1: the host denies it after this decide unless it is granted */
  konductor_pod_state pod_state;
  konductor_str controller_kind; /* of the Pod, for example "Job"; absent: none or not known */
  konductor_str controller_uid;
  int64_t completion_index;      /* of an Indexed Job; -1: none */
  konductor_str outcome;         /* what the holder reported, if its kind has such an action */
  const konductor_value* fields; /* one for each declared claim field, in the order of the declaration */
  size_t field_count;
  /* Who this is, whatever Pod it came in; of kinds with a `participant_field`, else absent. Two claims with the same
   * one are one that came again. The field's value, or what the host found out and keeps on the claim: "UID/INDEX" of
   * an Indexed Job, the UID of a Job with one completion, the UID of the Pod; without a Pod the claim's own UID. */
  konductor_str participant;
} konductor_claim;

/* An observed object's state. An unknown one is treated as KONDUCTOR_UNSYNCED. */
typedef int32_t konductor_observed_state;
enum {
  KONDUCTOR_PRESENT = 1,
  KONDUCTOR_ABSENT = 2,
  KONDUCTOR_UNSYNCED = 3, /* not known yet: decide is called again when it is */
  KONDUCTOR_FORBIDDEN = 4,
  KONDUCTOR_NOT_INSTALLED = 5,
  KONDUCTOR_TOO_MANY = 6
};

/* GROWS. Answers one `need` of an earlier decide, named by its id. A selector gives one entry for each object;
 * where there is none, or nothing can be shown, one without a name that says so by its state. */
typedef struct konductor_observed {
  uint32_t struct_size;
  konductor_observed_state state;
  konductor_str need_id;
  konductor_str object_name;
  konductor_str object_uid;
  konductor_str json; /* the projected fields: {"status.phase": ..., ...} */
} konductor_observed;

/* GROWS. Everything that a decision may depend on. */
typedef struct konductor_input {
  uint32_t struct_size;
  uint32_t max_grants; /* of this round; a decide that reaches it is called again after these are recorded */
  konductor_str namespace_name;
  konductor_str name;
  konductor_str uid;
  int64_t generation;
  konductor_str spec;  /* JSON object */
  konductor_str state; /* JSON object: what an earlier decide gave to sink.state and was committed; "{}" at first */
  int64_t now;         /* the API server's time, never before the last time committed with `state`; just before a claim
                          whose participant is not known yet, for a while */
  const konductor_claim* const* claims;
  size_t claim_count;
  const konductor_observed* const* observed;
  size_t observed_count;
} konductor_input;

/* ------------------------------------------------------------------ decide: output */

typedef int32_t konductor_verdict_kind;
enum {
  KONDUCTOR_WAIT = 1,          /* stay; `reason` and `message` say why (for people and for no_wait's denial). The reason
                                  "ExceedsLimit" is known to the host: the claim asks for more than could ever be
                                  granted as things stand; it is then denied, or given up, as a refusal */
  KONDUCTOR_GRANT = 2,         /* a waiting claim gets its units and holds them */
  KONDUCTOR_GRANT_CONSUME = 3, /* a waiting claim gets its units and holds nothing: they are used up in `state` */
  KONDUCTOR_DENY = 4,          /* a waiting claim is refused for good */
  KONDUCTOR_REVOKE = 5,        /* a granted claim is told to stop, and loses its place after `grace` */
  KONDUCTOR_DISCARD = 6        /* a claim that is only counted is needed no longer: the host deletes it once it has been
                                  there for as long as ended claims are kept, and the state of this decide is stored */
};

/* GROWS. */
typedef struct konductor_verdict {
  uint32_t struct_size;
  konductor_verdict_kind kind;
  konductor_str reason;  /* CamelCase word, for a condition */
  konductor_str message; /* a sentence */
  int64_t grace;         /* of KONDUCTOR_REVOKE */
} konductor_verdict;

/* GROWS. Something that decide wants to see. Either `object_name` or `label_selector` is given. */
typedef struct konductor_need {
  uint32_t struct_size;
  konductor_str id; /* of the plugin's choice, unique in one decide */
  konductor_str group;
  konductor_str version;
  konductor_str plural;
  konductor_str namespace_name; /* absent: the primitive's */
  konductor_str object_name;
  konductor_str label_selector;
  const konductor_str* fields; /* dotted paths of the projection */
  size_t field_count;
} konductor_need;

typedef int32_t konductor_event_type;
enum { KONDUCTOR_EVENT_NORMAL = 1, KONDUCTOR_EVENT_WARNING = 2 };

typedef int32_t konductor_condition_status;
enum { KONDUCTOR_FALSE = 0, KONDUCTOR_TRUE = 1, KONDUCTOR_UNKNOWN = 2 };

/* GROWS. Where decide puts its output. Every function copies what it is given before it returns; `context` is its first
 * argument. Only to be called during the decide that received it. [main-thread] */
typedef struct konductor_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* context;
  /* About the claim at `index` of the input. At most one for each; without one a waiting claim waits and another stays.
   * A kind that serves in another order than the input's gives waiting claims their verdicts in that order: by it
   * people are shown their places in the queue. */
  void (*verdict)(void* context, size_t index, const konductor_verdict* verdict) KONDUCTOR_NOEXCEPT;
  /* The durable state, a JSON object; committed in the same write as the grants. Not called: it stays as it was. */
  void (*state)(void* context, konductor_str json) KONDUCTOR_NOEXCEPT;
  /* The kind's own status fields, a JSON object, shown to people. A member that it does not name is left as it is; null
   * removes one. A changed `phase` is written at once, the rest a few times a second. Of a kind of mode
   * KONDUCTOR_MODE_GRANTED describe the state *after* the grants of this decide. */
  void (*status)(void* context, konductor_str json) KONDUCTOR_NOEXCEPT;
  /* A condition of the primitive; the host keeps the times. */
  void (*condition)(void* context, konductor_str type, konductor_condition_status status, konductor_str reason,
                    konductor_str message) KONDUCTOR_NOEXCEPT;
  void (*need)(void* context, const konductor_need* need) KONDUCTOR_NOEXCEPT;
  /* Call decide again at this time even if nothing changes. The earliest one counts. */
  void (*look_again_at)(void* context, int64_t time) KONDUCTOR_NOEXCEPT;
  /* A Kubernetes Event on the primitive. The host leaves out repetitions. */
  void (*event)(void* context, konductor_event_type type, konductor_str reason,
                konductor_str message) KONDUCTOR_NOEXCEPT;
} konductor_sink;

/* Returns 0, or anything else where the spec or the state cannot be understood: then nothing of the output is used, the
 * primitive grants nothing and shows a condition. Pure: the same input gives the same output. Must return within a
 * second. [main-thread] */
typedef int32_t (*konductor_decide)(const konductor_input* input, const konductor_sink* sink) KONDUCTOR_NOEXCEPT;

/* ------------------------------------------------------------------ declarations */

/* FROZEN. Of a custom resource. */
typedef struct konductor_names {
  konductor_str kind;       /* "Semaphore" */
  konductor_str plural;     /* "semaphores" */
  konductor_str singular;   /* "semaphore": also the word in kondctl's commands */
  konductor_str short_name; /* "sem"; may be absent */
} konductor_names;

/* Which of a kind's two resources something is about. */
typedef int32_t konductor_place;
enum { KONDUCTOR_OF_PRIMITIVE = 1, KONDUCTOR_OF_CLAIM = 2 };

/* FROZEN. A CEL rule at the root of an object: `self`, `oldSelf` (transition rules) as Kubernetes defines them. */
typedef struct konductor_rule {
  konductor_place place;
  int32_t reserved;
  konductor_str rule;
  konductor_str message;
} konductor_rule;

/* FROZEN. A printer column, after the name and before the host's AGE. */
typedef struct konductor_column {
  konductor_place place;
  int32_t priority; /* 0: always shown; above: only with -o wide */
  konductor_str name;
  konductor_str type; /* "integer", "string", "boolean", "date" */
  konductor_str json_path;
  konductor_str description;
} konductor_column;

/* What a command does. The host has the code; a plugin only names it. A host that lacks one leaves the command out. */
typedef int32_t konductor_action;
enum {
  KONDUCTOR_ACQUIRE = 1,
  KONDUCTOR_RUN = 2,
  KONDUCTOR_HOLD = 3,
  KONDUCTOR_RENEW = 4,
  KONDUCTOR_RELEASE = 5,
  KONDUCTOR_REPORT = 6,
  KONDUCTOR_HAND_OVER = 7,
  KONDUCTOR_WAIT_FOR_PHASE = 8,
  KONDUCTOR_SHOW = 9,
  KONDUCTOR_LIST = 10,
  KONDUCTOR_CREATE = 11,
  KONDUCTOR_DELETE = 12,
  KONDUCTOR_SET = 13,
  KONDUCTOR_EVALUATE = 14,
  KONDUCTOR_JOIN = 15 /* creates a claim that is only counted; with --wait it then does as KONDUCTOR_WAIT_FOR_PHASE */
};

/* FROZEN. A flag of a command, bound to a declared field: "--permits" to "spec.permits" of the claim. */
typedef struct konductor_flag {
  konductor_str name;        /* without dashes */
  konductor_str placeholder; /* "N" */
  konductor_str help;
  konductor_str path; /* dotted, from the root of the object that the action creates or patches */
  konductor_value_type type;
  int32_t required;
  int64_t minimum; /* of integers and durations; checked by the client before anything is sent */
  int64_t maximum;
} konductor_flag;

/* FROZEN. A value that a command always sets. */
typedef struct konductor_fixed {
  konductor_str path;
  konductor_str json;
} konductor_fixed;

/* GROWS. `kondctl SINGULAR VERB NAME`. Flags that belong to an action (--wait, --timeout, --ttl, --priority, --holder,
 * -o and so on) are the host's and need no declaration. */
typedef struct konductor_command {
  uint32_t struct_size;
  konductor_action action;
  konductor_str verb;
  konductor_str summary; /* one line for --help */
  const konductor_flag* flags;
  size_t flag_count;
  const konductor_fixed* fixed;
  size_t fixed_count;
} konductor_command;

/* How a kind's claims are served. */
typedef int32_t konductor_mode;
enum {
  KONDUCTOR_MODE_GRANTED = 1, /* claims are granted: a ledger records them, and each is told on its own status */
  KONDUCTOR_MODE_COUNTED = 2, /* claims are only counted: one status write of the primitive serves them all */
  KONDUCTOR_MODE_OBSERVED = 3 /* no claims at all: `claim` has no names */
};

/* With whom a claim goes. */
typedef int32_t konductor_lifetime;
enum { KONDUCTOR_WITH_POD = 1, KONDUCTOR_WITH_PRIMITIVE = 2 };

/* FROZEN. A type of objects that decide asks to see by `need`: the operator's role then allows it to read them. One
 * that is not declared may be asked for too, and is KONDUCTOR_FORBIDDEN unless somebody gives the operator that right.
 */
typedef struct konductor_observes {
  konductor_str group; /* absent: the core group */
  konductor_str plural;
} konductor_observes;

/* GROWS. How somebody who watches a primitive knows that the wait for it is over, by its status. `phase` is one of the
 * kind's own status fields. With rounds, who waits for round N is served as soon as `served_round_field` is at least N,
 * and in vain once the phase is `failed_phase` and N is not served. */
typedef struct konductor_wait {
  uint32_t struct_size;
  uint32_t reserved;
  konductor_str open_phase;   /* serves all who wait: "Open" */
  konductor_str failed_phase; /* serves nobody any more; the condition of that name says why. May be absent */
  /* Of primitives that serve in rounds, counted from 1; all three or none. */
  konductor_str rounds_field;       /* the boolean in the primitive's spec that says so; where it is not true there is
                                       one round, and claims name none */
  konductor_str round_field;        /* the integer in a claim's spec that names its round, and part of its identity */
  konductor_str served_round_field; /* the integer in the primitive's status: the last round that was served */
} konductor_wait;

/* GROWS. A kind: its two resources, its commands, its decision.
 *
 * The host composes both CustomResourceDefinitions: the metadata of the API, the ledger, conditions,
 * observedGeneration, the common fields of claims (pod, holder, ttl, priority, wait, requestedAt, renewTime; phase,
 * token, units, ...), of granted primitives (ttl), immutability and finality are the host's. Schemas here are JSON
 * objects
 * {"properties": {...}, "required": [...]} of the kind's *own* fields, OpenAPI v3 as a structural schema wants it, each
 * with a description; absent: none. */
typedef struct konductor_kind {
  uint32_t struct_size;
  konductor_mode mode;
  konductor_lifetime claim_lifetime;
  uint32_t reserved;
  konductor_str description;
  konductor_str claim_description;
  konductor_names names;
  konductor_names claim;
  konductor_str spec_schema;
  konductor_str status_schema;
  konductor_str claim_spec_schema;
  konductor_str claim_status_schema;
  konductor_str primitive_field; /* the member of a claim's spec that names its primitive: "semaphore" */
  konductor_str units_field;     /* the member of a claim's spec that holds its units; absent: each claim is one unit */
  const konductor_field* claim_fields;
  size_t claim_field_count;
  const konductor_rule* rules;
  size_t rule_count;
  const konductor_column* columns;
  size_t column_count;
  const konductor_command* const* commands;
  size_t command_count;
  konductor_decide decide;
  const konductor_observes* observes;
  size_t observe_count;
  /* Of a primitive that `kubectl scale` and autoscalers may change: the integer of its spec that they set, and the
   * integer of its status that says what is in force; dotted, "spec.size" and "status.size". The host then adds
   * status.selector, without which autoscalers do nothing. Both absent: it has no scale. */
  konductor_str scale_spec_path;
  konductor_str scale_status_path;
  /* Of mode KONDUCTOR_MODE_COUNTED, where claims stand for participants that may come again in another Pod: the member
   * of a claim's spec by which one names itself, a string. Absent: each claim is one. */
  konductor_str participant_field;
  const konductor_wait* wait; /* null: nobody waits for a phase */
} konductor_kind;

/* GROWS. */
typedef struct konductor_plugin {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t min_host_minor;
  uint32_t reserved;
  konductor_str name;    /* as in the file name: "semaphore" for semaphore.so */
  konductor_str version; /* semantic version of the plugin */
  const konductor_kind* const* kinds;
  size_t kind_count;
} konductor_plugin;

/* The one symbol that a plugin exports. */
extern KONDUCTOR_EXPORT const konductor_plugin konductor_plugin_v1;

/* FROZEN. The descriptor of the ELF note "Konductor" that states the same facts, read before the file is opened as a
 * library (constructors run inside dlopen). Strings are terminated by NUL. */
#define KONDUCTOR_NOTE_NAME "Konductor"
#define KONDUCTOR_NOTE_TYPE 1
typedef struct konductor_note {
  uint32_t abi_major;
  uint32_t min_host_minor;
  char name[48];
  char version[32];
} konductor_note;

/* Emits the note. Once in a plugin, at file scope; name and version are string literals equal to those in
 * konductor_plugin_v1. */
#define KONDUCTOR_DECLARE_NOTE(plugin_name, plugin_version, oldest_host_minor)                 \
  struct konductor_note_section {                                                              \
    uint32_t name_size;                                                                        \
    uint32_t descriptor_size;                                                                  \
    uint32_t type;                                                                             \
    char owner[12];                                                                            \
    konductor_note descriptor;                                                                 \
  };                                                                                           \
  __attribute__((section(".note.konductor"), used,                                             \
                 aligned(4))) static const struct konductor_note_section konductor_note_v1 = { \
      sizeof(KONDUCTOR_NOTE_NAME),                                                             \
      sizeof(konductor_note),                                                                  \
      KONDUCTOR_NOTE_TYPE,                                                                     \
      KONDUCTOR_NOTE_NAME,                                                                     \
      {KONDUCTOR_ABI_MAJOR, oldest_host_minor, plugin_name, plugin_version}}

#ifdef __cplusplus
}
#endif

#endif
