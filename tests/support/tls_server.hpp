#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace konductor::tests {

/// A folder that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Makes NAME.crt and NAME.key with the openssl command: a certificate authority if `issuer` is empty, else a
/// certificate that ISSUER.key signed. `names` is a subjectAltName such as "DNS:localhost,IP:127.0.0.1".
void make_certificate(const std::filesystem::path& folder, const std::string& name, const std::string& issuer,
                      const std::string& names);

/// NAME: a private key of this algorithm ("ed25519").
void make_key(const std::filesystem::path& folder, const std::string& name, const std::string& algorithm);

std::string read_text(const std::filesystem::path& file);

/// `openssl s_server` on a free port of 127.0.0.1 and, for "[::1]", of IPv6's loopback. It answers GET /FILE with that
/// file of the folder, which is a whole HTTP answer.
class TlsServer {
 public:
  struct Options {
    std::string certificate = "server";
    std::string client_authority;  // if not empty, a client certificate signed by it is demanded
    std::string address = "127.0.0.1";
  };
  TlsServer(const std::filesystem::path& folder, const Options& options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t process_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace konductor::tests
