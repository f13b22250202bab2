#pragma once

#include "base/error.hpp"
#include "io/connection.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace konductor::io {

/// A bounded number of connections to one server, kept open between requests. Who finds all of them busy waits in a
/// queue, first come, first served. Only a few are opened at a time: after a pause a crowd of requests would else first
/// wait for as many handshakes, of which the server does but a few at once, while an open connection serves several of
/// them in that time.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  /// A connection taken out of the pool. It is closed at the end unless it was given back.
  class Loan {
   public:
    /// Without a connection it begins with a new one.
    Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection, bool counted);
    Loan(Loan&& other) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan();

    [[nodiscard]] Connection& connection() { return *connection_; }
    /// True where it has carried a request before and is open.
    [[nodiscard]] bool reused() const { return reused_; }
    /// Closes it and goes on with a new one, not yet open.
    void renew();
    /// The new one is open: the next may be opened.
    void opened();
    /// It is in order and may carry the next request.
    void give_back();

   private:
    void begin_new();

    std::shared_ptr<ConnectionPool> pool_;  // null once moved from
    std::unique_ptr<Connection> connection_;
    bool counted_;
    bool reused_ = false;
    bool opening_ = false;
  };

  ConnectionPool(boost::asio::any_io_executor executor, std::shared_ptr<const Server> server, std::size_t most);

  /// An open connection if one is idle, else a new one that is to be opened.
  boost::asio::awaitable<Result<Loan>> borrow(runtime::MonoTime until);
  /// A new one beside the bound, for a stream. It never comes back.
  Loan extra();
  /// New connections are to this server, or to the same with other credentials; those that are lent are closed when
  /// their work is done.
  void use(std::shared_ptr<const Server> server);
  [[nodiscard]] const Server& server() const { return *server_; }
  /// Ends every operation on every connection, and refuses what comes later.
  void close();

 private:
  struct Waiter;
  struct Idle {
    std::unique_ptr<Connection> connection;
    runtime::MonoTime since;
  };
  std::optional<Loan> try_borrow();
  std::unique_ptr<Connection> take_idle();
  void serve_waiters();
  std::unique_ptr<Connection> make_connection();
  void forget(const Connection& connection);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<const Server> server_;
  std::size_t most_;
  std::size_t busy_ = 0;
  std::size_t opening_ = 0;
  bool closed_ = false;
  std::vector<Idle> idle_;         // the latest used at the end
  std::vector<Connection*> lent_;  // so that close() reaches them
  std::deque<Waiter*> waiters_;    // each lives in the coroutine that waits
};

}  // namespace konductor::io
