/* Part of konductor/plugin.h, which says the rules: text, and values of typed fields. */
#ifndef KONDUCTOR_ABI_VALUES_H
#define KONDUCTOR_ABI_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* FROZEN. */
typedef struct konductor_str {
  const char* data;
  size_t size;
} konductor_str;

/* A string literal as a constant konductor_str. */
#define KONDUCTOR_STR(literal) {(literal), sizeof(literal) - 1}

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

#endif
