#include "host/plugin_library.hpp"

#include "host/elf_note.hpp"
#include "host/growing.hpp"
#include "host/plugin_file.hpp"
#include "host/trial_open.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace konductor::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* symbol_name = "konductor_plugin_v1";
constexpr std::size_t max_file = std::size_t{256} << 20U;
constexpr std::chrono::milliseconds constructor_limit{5000};

Error refused(const fs::path& file, const std::string& reason) {
  return Error{Errc::plugin_incompatible, file.string() + " " + reason};
}

Result<fs::path> resolve(const fs::path& path) {
  std::error_code failed;
  auto resolved = fs::canonical(path, failed);
  if (failed) return refused(path, "cannot be resolved: " + failed.message());
  return resolved;
}

Result<PathFacts> facts_of(const fs::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0)
    return refused(path, "cannot be looked at: " + std::generic_category().message(errno));
  const auto type = S_ISREG(found.st_mode)   ? PathFacts::Type::regular
                    : S_ISDIR(found.st_mode) ? PathFacts::Type::directory
                                             : PathFacts::Type::other;
  return PathFacts{path.string(), type, found.st_mode & 07777U, found.st_uid};
}

// The path is resolved: no part of it is a symbolic link, so its parents are the directories that lead to it.
Result<std::vector<PathFacts>> chain_of(fs::path path) {
  std::vector<PathFacts> chain;
  for (;;) {
    auto facts = facts_of(path);
    if (!facts) return facts.error();
    chain.push_back(std::move(*facts));
    if (path == path.root_path()) return chain;
    path = path.parent_path();
  }
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

Result<std::vector<char>> read_file(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed) return refused(path, "cannot be read: " + failed.message());
  if (size > max_file)
    return refused(path, "has " + std::to_string(size) + " bytes, more than " + std::to_string(max_file));
  std::vector<char> bytes(size);
  std::ifstream in(path, std::ios::binary);
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) return refused(path, "cannot be read");
  return bytes;
}

std::string abi(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

std::string why_note_does_not_fit(const PluginNote& note, const fs::path& file) {
  if (note.abi_major != KONDUCTOR_ABI_MAJOR) {
    return "is of plugin ABI " + std::to_string(note.abi_major) + ", expected " + std::to_string(KONDUCTOR_ABI_MAJOR);
  }
  if (note.min_host_minor > KONDUCTOR_ABI_MINOR) {
    return "needs a host of plugin ABI " + abi(note.abi_major, note.min_host_minor) + " or later, this one has " +
           abi(KONDUCTOR_ABI_MAJOR, KONDUCTOR_ABI_MINOR);
  }
  if (note.name != file.stem().string()) {
    return "says that it is the plugin \"" + note.name + "\", expected \"" + file.stem().string() +
           "\" as its file name says";
  }
  return {};
}

// Not touched beyond struct_size, as the plugin may be older.
std::string why_symbol_differs(const konductor_plugin& plugin, const PluginNote& note) {
  const auto found = copy_growing(&plugin);
  const auto is = [](konductor_str text, const std::string& expected) {
    return text.data != nullptr && text.size == expected.size() &&
           std::memcmp(text.data, expected.data(), text.size) == 0;
  };
  if (found.abi_major != note.abi_major || found.min_host_minor != note.min_host_minor) {
    return "disagrees with itself: its note says ABI " + abi(note.abi_major, note.min_host_minor) + ", its symbol " +
           abi(found.abi_major, found.min_host_minor);
  }
  if (!is(found.name, note.name) || !is(found.version, note.version)) {
    return "disagrees with itself: its note says plugin " + note.name + " " + note.version + ", its symbol another";
  }
  return {};
}

/// Libraries stay open until the process ends: unloading code that may be on the stack is not worth its risks.
void keep_open(boost::dll::shared_library library) {
  static auto* const kept = new std::vector<boost::dll::shared_library>;
  kept->push_back(std::move(library));
}

Result<const konductor_plugin*> open(const fs::path& file) {
  try {
    std::error_code failed;
    boost::dll::shared_library library;
    library.load(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, failed);
    if (failed) {
      const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): plugins are loaded on one thread
      return refused(file, "cannot be opened: " + (why != nullptr ? std::string(why) : failed.message()));
    }
    const auto native = library.native();
    keep_open(std::move(library));
    void* const symbol = ::dlsym(native, symbol_name);
    if (symbol == nullptr) return refused(file, std::string("does not export ") + symbol_name);
    Dl_info origin{};
    std::error_code unknown;
    if (::dladdr(symbol, &origin) == 0 || !fs::equivalent(origin.dli_fname, file, unknown)) {
      return refused(file, std::string("does not export ") + symbol_name + " itself: it comes from " +
                               (origin.dli_fname != nullptr ? origin.dli_fname : "elsewhere"));
    }
    return static_cast<const konductor_plugin*>(symbol);
  } catch (const std::exception& e) {
    return refused(file, std::string("cannot be opened: ") + e.what());
  } catch (...) {
    return refused(file, "has a static constructor that throws");
  }
}

Result<PluginNote> check_before_opening(const fs::path& file) {
  const auto chain = chain_of(file);
  if (!chain) return chain.error();
  if (auto why = why_not_trusted(*chain, ::geteuid()); !why.empty()) return Error{Errc::plugin_incompatible, why};
  const auto bytes = read_file(file);
  if (!bytes) return bytes.error();
  auto note = read_note(std::as_bytes(std::span(*bytes)));
  if (!note) return refused(file, note.error().detail);
  if (auto why = why_note_does_not_fit(*note, file); !why.empty()) return refused(file, why);
  if (note->has_constructors) {
    if (auto why = why_not_opened_in_child(file.string(), constructor_limit); !why.empty()) return refused(file, why);
  }
  return note;
}

}  // namespace

Result<LoadedPlugin> load_plugin(const fs::path& file, const fs::path& folder, const MonoClock& clock) {
  const auto resolved_folder = resolve(folder);
  if (!resolved_folder) return resolved_folder.error();
  const auto resolved = resolve(file);
  if (!resolved) return resolved.error();
  if (!is_below(*resolved, *resolved_folder)) {
    return refused(file, "is a symbolic link to " + resolved->string() + ", outside of the plugin folder");
  }
  const auto note = check_before_opening(*resolved);
  if (!note) return note.error();
  const auto plugin = open(*resolved);
  if (!plugin) return plugin.error();
  if (auto why = why_symbol_differs(**plugin, *note); !why.empty()) return refused(*resolved, why);
  auto declaration = declare_plugin(**plugin, clock);
  if (!declaration) return refused(*resolved, "is refused: " + declaration.error().detail);
  return LoadedPlugin{resolved->string(), std::move(*declaration)};
}

}  // namespace konductor::host
