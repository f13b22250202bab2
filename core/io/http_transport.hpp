#pragma once

#include "base/error.hpp"
#include "io/connection.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace konductor::io {

struct TransportSettings {
  std::size_t max_connections = 32;               // streams have their own, beside these
  std::size_t max_body = std::size_t{64} << 20U;  // of an answer
  std::string user_agent = "konductor/0.1.0";
  std::string path_prefix;  // of the server's URL, without a slash at the end
};

/// Ends a stream from outside, or from its own sink, which then hears no more: the call ends with Errc::cancelled.
class StreamStop {
 public:
  void stop() {
    if (close_) close_();
  }

 private:
  friend class HttpTransport;
  std::function<void()> close_;  // empty while no stream runs
};

/// Who receives a stream.
struct StreamSink {
  /// Once. With status 200 only the head, and the bytes follow; with any other status the whole answer.
  std::function<void(const kube::Response&)> on_response;
  std::function<void(std::string_view)> on_bytes;
  StreamStop* stop = nullptr;  // may be null
};

/// HTTP/1.1 to one server over a bounded pool of connections that are kept open. Use on the executor's thread only.
/// Arguments by reference must live until the awaited call is over. Cancellation (asio's terminal kind, or close())
/// ends a call with Errc::cancelled.
class HttpTransport {
 public:
  HttpTransport(const boost::asio::any_io_executor& executor, std::shared_ptr<const Server> server,
                TransportSettings settings);
  /// Calls close().
  ~HttpTransport();
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  /// One request and its answer, whatever its status. The deadline covers everything: the queue, name look-up, connect,
  /// TLS, request, answer. A GET whose kept-open connection the server had meanwhile closed is sent again on a new one;
  /// any other request that was cut says that it may have been executed. `authorization`: the header's value, or empty.
  boost::asio::awaitable<Result<kube::Response>> send(const kube::Request& request, std::string_view authorization,
                                                      runtime::Duration deadline);

  /// An answer that goes on for long, on a connection of its own. Success: the server ended it in good order.
  /// `idle`: the longest silence, also while connecting.
  boost::asio::awaitable<Result<void>> stream(const kube::Request& request, std::string_view authorization,
                                              const StreamSink& sink, runtime::Duration idle);

  /// The same server with other credentials, from the next connection on; what is under way goes on as it is.
  void use(std::shared_ptr<const Server> server);

  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace konductor::io
