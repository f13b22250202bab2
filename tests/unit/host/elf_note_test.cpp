#include "host/elf_note.hpp"

#include "plugin_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <random>
#include <span>
#include <string>

namespace konductor::host {
namespace {

using ::testing::HasSubstr;
using testing::PluginFolder;

Result<PluginNote> note_of(const std::string& bytes) {
  return read_note(std::as_bytes(std::span(bytes)));
}
std::string reason_of(const std::string& bytes) {
  const auto note = note_of(bytes);
  return note ? "" : note.error().detail;
}
const std::string& good() {
  static const std::string bytes = PluginFolder::read(MINIMAL_PLUGIN);
  return bytes;
}
template <class T>
std::string with(std::size_t offset, T value) {
  std::string bytes = good();
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}

TEST(ElfNote, is_read_from_a_plugin) {
  const auto note = note_of(good());
  ASSERT_TRUE(note) << note.error().detail;
  EXPECT_EQ(note->abi_major, 1U);
  EXPECT_EQ(note->min_host_minor, 0U);
  EXPECT_EQ(note->name, "minimal");
  EXPECT_EQ(note->version, "1.0.0");
}

TEST(ElfNote, tells_of_static_constructors) {
  const auto note = note_of(PluginFolder::read(BAD_PLUGINS "/throws.so"));
  ASSERT_TRUE(note) << note.error().detail;
  EXPECT_TRUE(note->has_constructors);
}

TEST(ElfNote, says_what_the_file_is_instead) {
  EXPECT_EQ(reason_of(""), "is empty");
  EXPECT_EQ(reason_of("#!/bin/sh\n"), "is not an ELF file");
  EXPECT_EQ(reason_of(good().substr(0, 20)), "is truncated: it ends inside its header");
  EXPECT_THAT(reason_of(good().substr(0, good().size() / 2)), HasSubstr("is truncated: it has"));
  EXPECT_EQ(reason_of(with<unsigned char>(EI_CLASS, ELFCLASS32)), "is a 32-bit file, expected a 64-bit one");
  EXPECT_EQ(reason_of(with<unsigned char>(EI_DATA, ELFDATA2MSB)), "is a big-endian file, expected a little-endian one");
  EXPECT_THAT(reason_of(with<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine), EM_S390)),
              HasSubstr("is made for another machine (ELF machine 22), expected"));
  EXPECT_EQ(reason_of(with<Elf64_Half>(offsetof(Elf64_Ehdr, e_type), ET_EXEC)),
            "is an ELF file, but not a shared library");
  EXPECT_EQ(reason_of(PluginFolder::read(BAD_PLUGINS "/no-note.so")),
            "is a shared library without a Konductor note: not a plugin");
  EXPECT_EQ(reason_of(PluginFolder::read("/proc/self/exe")),
            "is a shared library without a Konductor note: not a plugin");
}

TEST(ElfNote, refuses_odd_descriptors) {
  const auto at = good().find(std::string("Konductor\0\0\0", 12)) + 12;
  EXPECT_THAT(reason_of(with<char>(at + 8, 'X')), HasSubstr("plugin name is not a lower-case DNS label"));
  EXPECT_THAT(reason_of(with<char>(at + 8 + 48, 'X')), HasSubstr("plugin version is not of the form"));
  std::string endless = good();
  endless.replace(at + 8, 48, 48, 'x');
  EXPECT_THAT(reason_of(endless), HasSubstr("strings do not end"));
  EXPECT_THAT(reason_of(with<Elf64_Word>(at - 16, 8)), HasSubstr("without a Konductor note"));  // its length
}

TEST(ElfNote, survives_every_truncation) {
  // The header and the notes stand in the first pages; what follows is only counted.
  const std::size_t dense = std::min<std::size_t>(good().size(), 4096);
  for (std::size_t size = 0; size < good().size(); size += size < dense ? 1 : 509) {
    EXPECT_FALSE(note_of(good().substr(0, size))) << size;
  }
}

TEST(ElfNote, reads_nothing_outside_of_the_file_when_bytes_are_changed) {
  std::mt19937 random(7);  // the sanitizers watch; the answer does not matter
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good().substr(0, 4096 + random() % 4096);
    for (int change = 0; change < 4; ++change) bytes[random() % 1024] = static_cast<char>(random());
    const auto note = note_of(bytes);
    EXPECT_TRUE(note || !note.error().detail.empty());
  }
}

}  // namespace
}  // namespace konductor::host
