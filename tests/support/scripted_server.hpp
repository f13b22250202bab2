#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace konductor::tests {

/// Takes one whole request from the connection and keeps it.
struct ReadRequest {};
/// Takes what comes next, whatever it is.
struct ReadSome {};
struct Send {
  std::string bytes;
};
/// Ends the connection in good order.
struct Close {};
/// Ends it with a TCP reset.
struct Reset {};
/// Says nothing more until the client closes.
struct Hold {};

using Step = std::variant<ReadRequest, ReadSome, Send, Close, Reset, Hold>;
using ConnectionScript = std::vector<Step>;

/// "HTTP/1.1 STATUS" with a Content-Length; `headers` are whole lines that end in CRLF.
Send answer(int status, const std::string& body, const std::string& headers = {});
/// The head of a chunked answer, and one chunk of it.
Send chunked_head(int status = 200);
Send chunk(const std::string& bytes);
Send last_chunk();

/// Plays answers that a real server will not give on demand: the nth connection gets the nth script, in the same
/// io_context as the client. After its script a connection is closed; without a script it is reset at once.
class ScriptedServer {
 public:
  ScriptedServer(boost::asio::io_context& context, std::vector<ConnectionScript> scripts);

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const;
  /// Whole requests, head and body, in the order of their arrival.
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
  [[nodiscard]] std::size_t connections() const { return connections_; }
  /// Stops listening; connections go on.
  void refuse();

 private:
  struct Peer;
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> play(std::shared_ptr<Peer> peer);
  boost::asio::awaitable<bool> read_request(Peer& peer);

  boost::asio::ip::tcp::acceptor acceptor_;
  std::deque<ConnectionScript> scripts_;
  std::vector<std::shared_ptr<Peer>> peers_;
  std::vector<std::string> requests_;
  std::size_t connections_ = 0;
};

}  // namespace konductor::tests
