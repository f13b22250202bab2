/* The smallest plugin in plain C: a Hook has one peg for each claim up to spec.pegs. It reads its spec by hand. */
#include <konductor/plugin.h>

#include <stdio.h>
#include <string.h>

/* The integer after "pegs": in the spec, or -1. */
static int64_t pegs_of(konductor_str spec) {
  static const char key[] = "\"pegs\":";
  const size_t length = sizeof(key) - 1;
  for (size_t at = 0; at + length < spec.size; ++at) {
    if (memcmp(spec.data + at, key, length) != 0) continue;
    int64_t value = 0;
    size_t digits = 0;
    for (at += length; at < spec.size && spec.data[at] >= '0' && spec.data[at] <= '9' && digits < 6; ++at, ++digits) {
      value = value * 10 + (spec.data[at] - '0');
    }
    return digits > 0 ? value : -1;
  }
  return -1;
}

static int32_t decide(const konductor_input* input, const konductor_sink* sink) {
  const int64_t pegs = pegs_of(input->spec);
  if (pegs < 0) return 1;
  int64_t used = 0;
  for (size_t i = 0; i < input->claim_count; ++i) {
    if (input->claims[i]->state != KONDUCTOR_WAITING) used += input->claims[i]->units;
  }
  uint32_t grants = 0;
  for (size_t i = 0; i < input->claim_count && grants < input->max_grants; ++i) {
    if (input->claims[i]->state != KONDUCTOR_WAITING) continue;
    if (used + input->claims[i]->units > pegs) break;
    const konductor_verdict verdict = {.struct_size = sizeof(verdict), .kind = KONDUCTOR_GRANT};
    sink->verdict(sink->context, i, &verdict);
    used += input->claims[i]->units;
    ++grants;
  }
  char status[64];
  const int size = snprintf(status, sizeof(status), "{\"used\": %lld}", (long long)used);
  const konductor_str json = {status, (size_t)size};
  sink->status(sink->context, json);
  return 0;
}

static const konductor_kind hook = {
    .struct_size = sizeof(konductor_kind),
    .mode = KONDUCTOR_MODE_GRANTED,
    .claim_lifetime = KONDUCTOR_WITH_POD,
    .description = KONDUCTOR_STR("A Hook has pegs for so many Coats."),
    .claim_description = KONDUCTOR_STR("A Coat asks for a peg of a Hook."),
    .names = {KONDUCTOR_STR("Hook"), KONDUCTOR_STR("hooks"), KONDUCTOR_STR("hook"), {NULL, 0}},
    .claim = {KONDUCTOR_STR("Coat"), KONDUCTOR_STR("coats"), KONDUCTOR_STR("coat"), {NULL, 0}},
    .spec_schema =
        KONDUCTOR_STR("{\"properties\": {\"pegs\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000,"
                      " \"description\": \"How many pegs there are.\"}}, \"required\": [\"pegs\"]}"),
    .status_schema = KONDUCTOR_STR("{\"properties\": {\"used\": {\"type\": \"integer\","
                                   " \"description\": \"How many pegs are used.\"}}}"),
    .primitive_field = KONDUCTOR_STR("hook"),
    .decide = decide,
};

static const konductor_kind* const kinds[] = {&hook};

const konductor_plugin konductor_plugin_v1 = {
    .struct_size = sizeof(konductor_plugin),
    .abi_major = KONDUCTOR_ABI_MAJOR,
    .min_host_minor = 0,
    .name = KONDUCTOR_STR("minimal"),
    .version = KONDUCTOR_STR("1.0.0"),
    .kinds = kinds,
    .kind_count = 1,
};

KONDUCTOR_DECLARE_NOTE("minimal", "1.0.0", 0);
