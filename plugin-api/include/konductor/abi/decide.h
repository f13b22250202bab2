/* Part of konductor/plugin.h, which says the rules: what a decision is given, and what it says. */
#ifndef KONDUCTOR_ABI_DECIDE_H
#define KONDUCTOR_ABI_DECIDE_H

#include <konductor/abi/values.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define KONDUCTOR_NOEXCEPT noexcept
#else
#define KONDUCTOR_NOEXCEPT
#endif

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

#ifdef __cplusplus
}
#endif

#endif
