/* One source for the zoo of bad plugins: each is built from it with macros that break one thing.
 *
 * BAD_NAME: the plugin's name. NOTE_MAJOR, NOTE_MINOR, NOTE_NAME, SYMBOL_NAME: facts to lie about. WITHOUT_NOTE and
 * WITHOUT_SYMBOL leave them out. DECIDE: the decision to break. */
#include <konductor/plugin.h>

#include <time.h>

#ifndef NOTE_MINOR
#define NOTE_MINOR 0
#endif
#ifndef NOTE_NAME
#define NOTE_NAME BAD_NAME
#endif
#ifndef SYMBOL_NAME
#define SYMBOL_NAME BAD_NAME
#endif
#ifndef DECIDE
#define DECIDE decide_nothing
#endif
#ifndef KIND_SIZE
#define KIND_SIZE sizeof(konductor_kind)
#endif

int32_t decide_nothing(const konductor_input* input, const konductor_sink* sink);
int32_t decide_slowly(const konductor_input* input, const konductor_sink* sink);
int32_t decide_out_of_range(const konductor_input* input, const konductor_sink* sink);
int32_t decide_garbage(const konductor_input* input, const konductor_sink* sink);

int32_t decide_nothing(const konductor_input* input, const konductor_sink* sink) {
  (void)input;
  (void)sink;
  return 0;
}

int32_t decide_slowly(const konductor_input* input, const konductor_sink* sink) {
  (void)input;
  (void)sink;
  struct timespec start;
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 1500);
  return 0;
}

int32_t decide_out_of_range(const konductor_input* input, const konductor_sink* sink) {
  (void)input;
  const konductor_verdict verdict = {.struct_size = sizeof(verdict), .kind = KONDUCTOR_GRANT};
  sink->verdict(sink->context, 1000000000, &verdict);
  return 0;
}

int32_t decide_garbage(const konductor_input* input, const konductor_sink* sink) {
  (void)input;
  const konductor_str garbage = KONDUCTOR_STR("{\"level\": \xff\xfe");
  sink->state(sink->context, garbage);
  return 0;
}

#ifndef WITHOUT_SYMBOL
static const konductor_kind lamp = {
    .struct_size = KIND_SIZE,
    .mode = KONDUCTOR_MODE_GRANTED,
    .claim_lifetime = KONDUCTOR_WITH_POD,
    .description = KONDUCTOR_STR("A Lamp."),
    .claim_description = KONDUCTOR_STR("A Switch asks for a Lamp."),
    .names = {KONDUCTOR_STR("Lamp"), KONDUCTOR_STR("lamps"), KONDUCTOR_STR("lamp"), {NULL, 0}},
    .claim = {KONDUCTOR_STR("Switch"), KONDUCTOR_STR("switches"), KONDUCTOR_STR("switch"), {NULL, 0}},
    .primitive_field = KONDUCTOR_STR("lamp"),
    .decide = DECIDE,
};

static const konductor_kind* const kinds[] = {&lamp};

const konductor_plugin konductor_plugin_v1 = {
    .struct_size = sizeof(konductor_plugin),
    .abi_major = KONDUCTOR_ABI_MAJOR,
    .min_host_minor = 0,
    .name = KONDUCTOR_STR(SYMBOL_NAME),
    .version = KONDUCTOR_STR("1.0.0"),
    .kinds = kinds,
    .kind_count = 1,
};
#endif

#ifndef WITHOUT_NOTE
#ifdef NOTE_MAJOR
#undef KONDUCTOR_ABI_MAJOR
#define KONDUCTOR_ABI_MAJOR NOTE_MAJOR
#endif
KONDUCTOR_DECLARE_NOTE(NOTE_NAME, "1.0.0", NOTE_MINOR);
#endif
