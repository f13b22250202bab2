#pragma once

#include "base/error.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace konductor::io {

struct ProbeAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

/// A small HTTP server for /healthz, /readyz and /metrics. One request a connection, five seconds from its acceptance
/// for all of it, and no more than 32 at once: one more takes the place of the oldest that has not asked yet.
class ProbeServer {
 public:
  /// `path` is without the query. Called for GET and HEAD.
  using Answerer = std::function<ProbeAnswer(std::string_view path)>;

  /// `address`: "IP:PORT", "[IPv6]:PORT" or ":PORT" (all addresses); port 0 takes a free one. Serves until destroyed.
  /// An error names the flag that the address is from.
  static Result<std::unique_ptr<ProbeServer>> listen(const boost::asio::any_io_executor& executor,
                                                     std::string_view address, Answerer answerer,
                                                     std::string_view flag = "--metrics-address");
  ~ProbeServer();
  ProbeServer(const ProbeServer&) = delete;
  ProbeServer& operator=(const ProbeServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit ProbeServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace konductor::io
