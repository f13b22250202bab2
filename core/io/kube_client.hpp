#pragma once

#include "base/error.hpp"
#include "io/credentials.hpp"
#include "io/environment.hpp"
#include "io/http_transport.hpp"
#include "io/server_clock.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace konductor::io {

/// One API server with our credentials. Must outlive its calls. What is not accepted (a 401, a certificate in the TLS
/// handshake) is tried once more if there are other credentials by then: files are read again, an exec plugin is run.
class KubeClient {
 public:
  /// Reads certificates and keys; connects to nothing yet.
  static Result<std::unique_ptr<KubeClient>> create(const boost::asio::any_io_executor& executor,
                                                    const kube::ClusterAccess& access, const Environment& environment,
                                                    TransportSettings settings = {});
  ~KubeClient();
  KubeClient(const KubeClient&) = delete;
  KubeClient& operator=(const KubeClient&) = delete;

  /// As HttpTransport::send and stream.
  boost::asio::awaitable<Result<kube::Response>> send(const kube::Request& request, runtime::Duration deadline);
  boost::asio::awaitable<Result<void>> stream(const kube::Request& request, const StreamSink& sink,
                                              runtime::Duration idle);
  /// Ends all calls with Errc::cancelled; there can be no others.
  void close();

  /// Both clocks, read now.
  [[nodiscard]] runtime::Now now();
  /// By the API server's clock; our own before its first answer.
  [[nodiscard]] runtime::WallTime server_now() { return now().server; }
  /// "https://host:port", for people.
  [[nodiscard]] const std::string& origin() const { return origin_; }

 private:
  KubeClient(std::unique_ptr<HttpTransport> transport, std::unique_ptr<Credentials> credentials, std::string origin);
  boost::asio::awaitable<Result<Credentials::Pass>> pass(runtime::MonoTime until);
  bool renew(const Credentials::Pass& used, const Error& error);

  std::unique_ptr<HttpTransport> transport_;
  std::unique_ptr<Credentials> credentials_;
  ServerClock clock_;
  std::string origin_;
};

}  // namespace konductor::io
