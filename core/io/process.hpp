#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace konductor::io {

/// The file of the running program, resolved.
std::string executable_path();

/// "HOST_8f3a91c0b2d47e65": names this process among all that may ever contend with it.
std::string unique_identity();

/// Opens /dev/null in the place of a standard input, output or error that is closed: nothing else that is opened shall
/// ever stand there. To be called first of all.
void ensure_standard_files();

/// Whether this signal is for us to catch: false where whoever started us wants it to be ignored (nohup, a job in the
/// background of a script). One that was blocked by them is not any more.
[[nodiscard]] bool may_hear(int number);

/// Raises this process's limit of open files to what it may be, and gives the limit.
std::size_t raise_file_limit();

/// Our environment, and over it the "NAME=value" of `more`.
std::vector<std::string> merged_environment(const std::vector<std::string>& more);

/// What an exec wants, with a null at the end; valid as long as `words` is.
std::vector<char*> pointers_to(std::vector<std::string>& words);

}  // namespace konductor::io
