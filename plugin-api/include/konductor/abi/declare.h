/* Part of konductor/plugin.h, which says the rules: what a plugin declares of its kinds. */
#ifndef KONDUCTOR_ABI_DECLARE_H
#define KONDUCTOR_ABI_DECLARE_H

#include <konductor/abi/decide.h>
#include <konductor/abi/values.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 * observedGeneration, the common fields of claims (pod, holder, requestedAt; phase; where they are granted ttl,
 * priority, wait, renewTime, token, units, ...; participant), of granted primitives (ttl), immutability and finality
 * are the host's. Schemas here are JSON objects
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

#ifdef __cplusplus
}
#endif

#endif
