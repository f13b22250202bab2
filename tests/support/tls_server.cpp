#include "tests/support/tls_server.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace konductor::tests {

namespace fs = std::filesystem;

namespace {

/// In the child: never returns.
[[noreturn]] void execute(const fs::path& folder, std::vector<std::string> words, int output) {
  const int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, STDIN_FILENO);
  dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (chdir(folder.c_str()) == 0) execvp(arguments[0], arguments.data());
  _exit(127);
}

pid_t start(const fs::path& folder, const std::vector<std::string>& words, int output) {
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) execute(folder, words, output);
  return child;
}

void run_to_end(const fs::path& folder, const std::vector<std::string>& words) {
  int status = 0;
  waitpid(start(folder, words, -1), &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(words[0] + " " + words[1] + " failed");
}

/// s_server says "ACCEPT 127.0.0.1:40123" once it listens.
std::uint16_t read_port(int output) {
  std::string text;
  std::array<char, 256> buffer{};
  for (;;) {
    const auto line = text.find("ACCEPT ");
    const auto end = line == std::string::npos ? line : text.find('\n', line);
    if (end != std::string::npos) {
      const auto colon = text.rfind(':', end);
      return static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)));
    }
    const ssize_t bytes = read(output, buffer.data(), buffer.size());
    if (bytes <= 0) throw std::runtime_error("openssl s_server did not start: " + text);
    text.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "konductor-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void make_certificate(const fs::path& folder, const std::string& name, const std::string& issuer,
                      const std::string& names) {
  std::vector<std::string> words = {
      "openssl", "req",        "-x509",       "-newkey", "ec",          "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes",  "-out",       name + ".crt", "-keyout", name + ".key", "-days",    "2",
      "-subj",   "/CN=" + name};
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (issuer.empty()) {
    add({"-addext", "keyUsage=critical,keyCertSign"});
  } else {
    add({"-CA", issuer + ".crt", "-CAkey", issuer + ".key", "-addext", "basicConstraints=critical,CA:FALSE"});
  }
  if (!names.empty()) add({"-addext", "subjectAltName=" + names});
  run_to_end(folder, words);
}

void make_key(const fs::path& folder, const std::string& name, const std::string& algorithm) {
  run_to_end(folder, {"openssl", "genpkey", "-algorithm", algorithm, "-out", name});
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TlsServer::TlsServer(const fs::path& folder, const Options& options) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::vector<std::string> words = {"openssl", "s_server",
                                    "-accept", options.address + ":0",
                                    "-cert",   options.certificate + ".crt",
                                    "-key",    options.certificate + ".key",
                                    "-HTTP"};
  if (!options.client_authority.empty()) {
    words.insert(words.end(), {"-Verify", "2", "-verify_return_error", "-CAfile", options.client_authority + ".crt"});
  }
  process_ = start(folder, words, ends[1]);
  close(ends[1]);
  output_ = ends[0];
  port_ = read_port(output_);
}

TlsServer::~TlsServer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  close(output_);
}

}  // namespace konductor::tests
