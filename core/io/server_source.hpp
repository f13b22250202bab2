#pragma once

#include "base/error.hpp"
#include "io/environment.hpp"
#include "io/server.hpp"
#include "kube/exec_credential.hpp"
#include "kube/kubeconfig.hpp"
#include "runtime/clock.hpp"

#include <memory>

namespace konductor::io {

/// The server with its certificates and keys, kept current: who renews them changes the files under our hands. Until a
/// whole new set can be read and fits together, the one at hand stays in use.
class ServerSource {
 public:
  static Result<ServerSource> load(const kube::ClusterAccess& access, const Environment& environment,
                                   runtime::MonoTime now);

  /// For a new connection. Files are read again when the last reading is 10 s old, or 1 s where that failed.
  std::shared_ptr<const Server> server(runtime::MonoTime now);
  /// The server did not accept us, or we not it: true where the files by now give another than `refused`, to be tried
  /// once.
  bool renew(const std::shared_ptr<const Server>& refused, runtime::MonoTime now);
  /// Connections from now on are made with the client certificate of an exec plugin, or without the one that it gave
  /// before. An error leaves all as it was.
  Result<void> identify(const kube::ExecCredential& credential, const kube::ExecPlugin& plugin, runtime::MonoTime now);
  [[nodiscard]] const std::shared_ptr<const Server>& current() const { return server_; }
  [[nodiscard]] const TlsSettings& settings() const { return settings_; }

 private:
  ServerSource(const kube::ClusterAccess& access, const Environment& environment);
  Result<void> read(runtime::MonoTime now);
  Result<void> take(TlsSettings settings);

  kube::ClusterAccess access_;
  Environment environment_;
  TlsSettings settings_;
  NamedPem given_certificate_;  // by an exec plugin
  NamedPem given_key_;
  std::shared_ptr<const Server> server_;
  runtime::MonoTime read_again_;
};

}  // namespace konductor::io
