#include "host/elf_note.hpp"

#include "host/words.hpp"

#include <konductor/plugin.h>

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <optional>
#include <string_view>

namespace konductor::host {
namespace {

using Bytes = std::span<const std::byte>;

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64;
constexpr const char* own_machine_name = "x86-64";
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64;
constexpr const char* own_machine_name = "aarch64";
#else
#error "plugins are known for x86-64 and aarch64"
#endif

Error refused(std::string reason) {
  return Error{Errc::plugin_incompatible, std::move(reason)};
}

/// `size` bytes from `offset`, or nothing where the file ends before.
std::optional<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

template <class T>
std::optional<T> read(Bytes bytes, std::uint64_t offset) {
  const auto from = slice(bytes, offset, sizeof(T));
  if (!from) return std::nullopt;
  T value;
  std::memcpy(&value, from->data(), sizeof(T));
  return value;
}

std::string why_not_loadable(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] == ELFCLASS32) return "is a 32-bit file, expected a 64-bit one";
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return "is not a valid ELF file: unknown class";
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return "is a big-endian file, expected a little-endian one";
  if (header.e_ident[EI_VERSION] != EV_CURRENT) return "is not a valid ELF file: unknown version";
  if (header.e_machine != own_machine) {
    return "is made for another machine (ELF machine " + std::to_string(header.e_machine) + "), expected " +
           own_machine_name;
  }
  if (header.e_type != ET_DYN) return "is an ELF file, but not a shared library";
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return "is not a valid ELF file: odd program headers";
  return {};
}

/// Up to the first NUL of a fixed array; nothing without one.
template <std::size_t Size>
std::optional<std::string> fixed_text(const char (&array)[Size]) {
  const auto* end = std::find(std::begin(array), std::end(array), '\0');
  if (end == std::end(array)) return std::nullopt;
  return std::string(std::begin(array), end);
}

Result<PluginNote> read_descriptor(Bytes descriptor) {
  // A newer host's note may be longer; the facts of this one stay where they are.
  const auto note = read<konductor_note>(descriptor, 0);
  if (!note) return refused("has a Konductor note that is too short");
  const auto name = fixed_text(note->name);
  const auto version = fixed_text(note->version);
  if (!name || !version) return refused("has a Konductor note whose strings do not end");
  if (!is_resource_word(*name)) return refused("has a Konductor note whose plugin name is not a lower-case DNS label");
  if (!is_semantic_version(*version))
    return refused("has a Konductor note whose plugin version is not of the form 1.2.3");
  return PluginNote{note->abi_major, note->min_host_minor, *name, *version, false};
}

std::uint64_t padded(std::uint64_t size) {
  return (size + 3) & ~std::uint64_t{3};
}

/// Nothing if this segment holds other notes only.
std::optional<Result<PluginNote>> find_in_segment(Bytes segment) {
  constexpr std::string_view owner(KONDUCTOR_NOTE_NAME, sizeof(KONDUCTOR_NOTE_NAME));  // with its NUL
  std::uint64_t at = 0;
  while (const auto header = read<Elf64_Nhdr>(segment, at)) {
    at += sizeof(Elf64_Nhdr);
    const auto name = slice(segment, at, header->n_namesz);
    at += padded(header->n_namesz);
    const auto descriptor = slice(segment, at, header->n_descsz);
    at += padded(header->n_descsz);
    if (!name || !descriptor) return std::nullopt;
    const bool ours = header->n_type == KONDUCTOR_NOTE_TYPE && name->size() == owner.size() &&
                      std::memcmp(name->data(), owner.data(), owner.size()) == 0;
    if (ours) return read_descriptor(*descriptor);
  }
  return std::nullopt;
}

bool has_constructors(Bytes dynamic) {
  constexpr std::uint64_t of_the_runtime = sizeof(Elf64_Addr);  // frame_dummy
  for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
    const auto entry = read<Elf64_Dyn>(dynamic, at);
    if (!entry || entry->d_tag == DT_NULL) return false;
    if (entry->d_tag == DT_INIT_ARRAYSZ && entry->d_un.d_val > of_the_runtime) return true;
  }
}

}  // namespace

Result<PluginNote> read_note(Bytes file) {
  if (file.empty()) return refused("is empty");
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) return refused("is not an ELF file");
  const auto header = read<Elf64_Ehdr>(file, 0);
  if (!header) return refused("is truncated: it ends inside its header");
  if (const auto why = why_not_loadable(*header); !why.empty()) return refused(why);

  // The section headers usually end the file: without them part of it is missing, although it might still load.
  const auto sections = std::uint64_t{header->e_shnum} * header->e_shentsize;
  if (header->e_shoff != 0 && !slice(file, header->e_shoff, sections)) {
    return refused("is truncated: it has " + std::to_string(file.size()) + " bytes and says that it has more");
  }
  std::optional<Result<PluginNote>> found;
  bool constructors = false;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto position = i * sizeof(Elf64_Phdr);
    const auto segment =
        header->e_phoff > file.size() ? std::nullopt : read<Elf64_Phdr>(file, header->e_phoff + position);
    if (!segment) return refused("is truncated: it ends inside its program headers");
    const auto bytes = slice(file, segment->p_offset, segment->p_filesz);
    const bool wanted = segment->p_type == PT_LOAD || segment->p_type == PT_NOTE || segment->p_type == PT_DYNAMIC;
    if (wanted && !bytes) {
      return refused("is truncated: it has " + std::to_string(file.size()) + " bytes and says that it has more");
    }
    if (segment->p_type == PT_NOTE && !found) found = find_in_segment(*bytes);
    if (segment->p_type == PT_DYNAMIC) constructors = constructors || has_constructors(*bytes);
  }
  if (!found) return refused("is a shared library without a Konductor note: not a plugin");
  if (*found) (*found)->has_constructors = constructors;
  return *found;
}

}  // namespace konductor::host
