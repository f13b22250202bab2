#include "io/connection_pool.hpp"

#include "io/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;

namespace {

/// Below the idle limits of API servers and of what stands in between.
constexpr runtime::Duration max_idle = std::chrono::seconds{30};
constexpr std::size_t most_opening = 8;

}  // namespace

struct ConnectionPool::Waiter {
  Waiter(ConnectionPool& owner, runtime::MonoTime until) : pool(owner), timer(owner.executor_, until) {
    pool.waiters_.push_back(this);
  }
  ~Waiter() { std::erase(pool.waiters_, this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  ConnectionPool& pool;
  BootTimer timer;
  std::optional<Loan> loan;  // once it is its turn
};

ConnectionPool::Loan::Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection, bool counted)
    : pool_(std::move(pool)), connection_(std::move(connection)), counted_(counted), reused_(connection_ != nullptr) {
  if (counted_) ++pool_->busy_;
  if (connection_) {
    pool_->lent_.push_back(connection_.get());
  } else {
    begin_new();
  }
}

ConnectionPool::Loan::~Loan() {
  if (!pool_) return;
  if (connection_) pool_->forget(*connection_);
  if (opening_) --pool_->opening_;
  if (counted_) --pool_->busy_;
  pool_->serve_waiters();
}

void ConnectionPool::Loan::begin_new() {
  connection_ = pool_->make_connection();
  opening_ = counted_;
  if (opening_) ++pool_->opening_;
}

void ConnectionPool::Loan::renew() {
  pool_->forget(*connection_);
  reused_ = false;
  begin_new();
}

void ConnectionPool::Loan::opened() {
  if (!std::exchange(opening_, false)) return;
  --pool_->opening_;
  pool_->serve_waiters();
}

void ConnectionPool::Loan::give_back() {
  pool_->forget(*connection_);
  if (pool_->closed_ || connection_->server() != pool_->server_) return;
  connection_->idle();
  pool_->idle_.push_back({std::move(connection_), mono_now()});
}

ConnectionPool::ConnectionPool(asio::any_io_executor executor, std::shared_ptr<const Server> server, std::size_t most)
    : executor_(std::move(executor)), server_(std::move(server)), most_(std::max<std::size_t>(most, 1)) {}

asio::awaitable<Result<ConnectionPool::Loan>> ConnectionPool::borrow(runtime::MonoTime until) {
  auto at_once = waiters_.empty() ? try_borrow() : std::nullopt;
  if (at_once) co_return std::move(*at_once);
  const auto self = shared_from_this();
  Waiter waiter(*this, until);
  if (!closed_) {
    const auto [code] = co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (waiter.loan) co_return std::move(*waiter.loan);
    if (!code) {
      co_return Error{Errc::timeout, server_->origin + (busy_ < most_ ? ": no connection could be opened in time"
                                                                      : ": all " + std::to_string(most_) +
                                                                            " connections stayed busy")};
    }
  }
  co_return Error{Errc::cancelled, server_->origin + ": given up"};
}

ConnectionPool::Loan ConnectionPool::extra() {
  return {shared_from_this(), nullptr, false};
}

void ConnectionPool::use(std::shared_ptr<const Server> server) {
  if (server == server_) return;
  server_ = std::move(server);
  idle_.clear();
}

void ConnectionPool::close() {
  closed_ = true;
  idle_.clear();
  for (Connection* connection : lent_) connection->close();
  for (Waiter* waiter : waiters_) waiter->timer.cancel();
}

std::optional<ConnectionPool::Loan> ConnectionPool::try_borrow() {
  if (closed_ || busy_ >= most_) return std::nullopt;
  auto idle = take_idle();
  if (!idle && opening_ >= most_opening) return std::nullopt;
  return Loan(shared_from_this(), std::move(idle), true);
}

std::unique_ptr<Connection> ConnectionPool::take_idle() {
  const auto oldest = mono_now() - max_idle;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest || !idle.connection->usable(); });
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back().connection);
  idle_.pop_back();
  return connection;
}

void ConnectionPool::serve_waiters() {
  while (!waiters_.empty()) {
    auto loan = try_borrow();
    if (!loan) return;
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    next->loan.emplace(std::move(*loan));
    next->timer.cancel();
  }
}

std::unique_ptr<Connection> ConnectionPool::make_connection() {
  auto connection = std::make_unique<Connection>(executor_, server_);
  lent_.push_back(connection.get());
  return connection;
}

void ConnectionPool::forget(const Connection& connection) {
  std::erase(lent_, &connection);
}

}  // namespace konductor::io
