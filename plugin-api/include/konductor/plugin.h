/* The C ABI between Konductor's hosts (the operator `konductor`, the client `kondctl`) and plugins.
 *
 * DRAFT: until it is released as 1.0 anything here may still change.
 *
 * A plugin is policy, a host is mechanism. A plugin declares kinds and, for each, one pure function `decide` that looks
 * at one primitive and its claims and says who gets what. It does no I/O, has no clock, no threads, no client. What
 * decide is given and says is in abi/decide.h, what a plugin declares in abi/declare.h.
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

#include <konductor/abi/decide.h>
#include <konductor/abi/declare.h>
#include <konductor/abi/values.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI of this header. A host loads a plugin whose major is its own and whose oldest host minor is at most its own.
 * A plugin states the oldest host minor that it *needs*: raised on purpose, never by compiling against a newer header.
 */
#define KONDUCTOR_ABI_MAJOR 1
#define KONDUCTOR_ABI_MINOR 0

#define KONDUCTOR_EXPORT __attribute__((visibility("default")))

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
