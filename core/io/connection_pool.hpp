#pragma once

#include "base/error.hpp"
#include "io/connection.hpp"
#include "io/name_lookup.hpp"
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
/// queue, first come, first served.
///
/// Nobody waits for a particular connection: where one is missing it is opened beside, and whoever is first in the
/// queue takes the next that is free, as Go's client does. Only a few are opened at a time. A crowd of requests after a
/// pause would else cost as many handshakes, while each open connection serves several requests in the time of one.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  /// A connection taken out of the pool. It is closed at the end unless it was given back.
  class Loan {
   public:
    Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection, bool counted);
    Loan(Loan&& other) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan();

    [[nodiscard]] Connection& connection() { return *connection_; }
    /// True where it has carried a request before: the server may have closed it since.
    [[nodiscard]] bool reused() const { return reused_; }
    /// Closes it and goes on with a new one.
    boost::asio::awaitable<Result<void>> renew(runtime::MonoTime until);
    /// It is in order and may carry the next request.
    void give_back();

   private:
    friend class ConnectionPool;
    std::shared_ptr<ConnectionPool> pool_;  // null once moved from
    std::unique_ptr<Connection> connection_;
    bool counted_;
    bool reused_ = false;
  };

  ConnectionPool(boost::asio::any_io_executor executor, std::shared_ptr<const Server> server, std::size_t most);

  /// An open connection.
  boost::asio::awaitable<Result<Loan>> borrow(runtime::MonoTime until);
  /// A new one beside the bound, for a stream: `open` it with names(). It never comes back.
  Loan extra();
  [[nodiscard]] NameLookup& names() { return names_; }
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
    bool used;
  };
  std::optional<Loan> take_idle();
  boost::asio::awaitable<Result<Loan>> take_in_turn(Waiter& waiter);
  void wake_first();
  void open_more();
  static boost::asio::awaitable<void> open_one(std::shared_ptr<ConnectionPool> self, std::unique_ptr<Connection> made,
                                               std::weak_ptr<Waiter> whose);
  std::unique_ptr<Connection> make_connection();
  void forget(const Connection& connection);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<const Server> server_;
  NameLookup names_;
  std::size_t most_;
  std::size_t lent_count_ = 0;
  std::size_t opening_ = 0;
  bool closed_ = false;
  std::vector<Idle> idle_;                       // the latest used at the end
  std::vector<Connection*> in_use_;              // lent or being opened, so that close() reaches them
  std::deque<std::shared_ptr<Waiter>> waiters_;  // until it has its connection, or gives up
};

}  // namespace konductor::io
