#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "host/elf_note.hpp"
#include "host/words.hpp"

#include <cstddef>
#include <span>
#include <vector>

using namespace konductor;
using fuzz::expect;

/// The bytes of a file that somebody put into the plugin folder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy without slack, so that the sanitizer sees each byte that is read beyond it.
  const auto* first = reinterpret_cast<const std::byte*>(data);
  const std::vector<std::byte> file(first, first + size);
  const auto note = host::read_note(file);
  if (note) {
    expect(host::is_resource_word(note->name), "a plugin's name is a word");
    expect(host::is_semantic_version(note->version), "a plugin's version is one");
    // What is cut off shows: a copy that was interrupted is not taken for the plugin.
    expect(size > 64, "a note needs a file around it");
    const auto again = host::read_note(file);
    expect(again && *again == *note, "the same file says the same");
  } else {
    fuzz::expect_sentence(note.error(), 200);
    expect(note.error().code == Errc::plugin_incompatible, "it is the file that is refused");
  }
  return 0;
}
