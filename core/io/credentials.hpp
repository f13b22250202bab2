#pragma once

#include "base/error.hpp"
#include "io/environment.hpp"
#include "io/exec_source.hpp"
#include "io/server_source.hpp"
#include "io/token_source.hpp"
#include "kube/kubeconfig.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace konductor::io {

/// Who we are to one server, kept current while files change and what plugins gave expires. Must outlive its calls.
class Credentials {
 public:
  /// What one request is sent with.
  struct Pass {
    std::string authorization;  // the header's value, or empty
    std::shared_ptr<const Server> server;
    ExecSource::Credential given;  // by an exec plugin, or null
  };
  /// Who did not accept what.
  enum class Refusal {
    of_us,     // the server our token or certificate
    of_server  // we the server's certificate
  };

  static Result<std::unique_ptr<Credentials>> load(const boost::asio::any_io_executor& executor,
                                                   const kube::ClusterAccess& access, const Environment& environment);

  /// May run an exec plugin, until `until`. Its credential expires by `now`.
  boost::asio::awaitable<Result<Pass>> pass(runtime::MonoTime until, runtime::WallTime now);
  /// Reads everything again: true where there is another pass to be tried, once.
  bool renew(const Pass& refused, Refusal why);
  void close();
  [[nodiscard]] std::shared_ptr<const Server> server() const { return server_.current(); }

 private:
  Credentials(ServerSource server, TokenSource token);

  ServerSource server_;
  TokenSource token_;
  std::optional<kube::ExecPlugin> plugin_;
  std::unique_ptr<ExecSource> exec_;
};

}  // namespace konductor::io
