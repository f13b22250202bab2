#include "io/connection_pool.hpp"

#include "io/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;

namespace {

/// Below the idle limits of API servers and of what stands in between.
constexpr runtime::Duration max_idle = std::chrono::seconds{30};

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
  bool its_turn = false;
};

ConnectionPool::Loan::Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection, bool counted)
    : pool_(std::move(pool)), connection_(std::move(connection)), counted_(counted), reused_(connection_ != nullptr) {
  if (connection_) {
    pool_->lent_.push_back(connection_.get());
  } else {
    connection_ = pool_->make_connection();
  }
}

ConnectionPool::Loan::~Loan() {
  if (!pool_) return;
  if (connection_) pool_->forget(*connection_);
  if (counted_) pool_->release();
}

void ConnectionPool::Loan::renew() {
  pool_->forget(*connection_);
  connection_ = pool_->make_connection();
  reused_ = false;
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
  auto turn = co_await wait_for_turn(until);
  if (!turn) co_return turn.error();
  co_return Loan(shared_from_this(), take_idle(), true);
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

asio::awaitable<Result<void>> ConnectionPool::wait_for_turn(runtime::MonoTime until) {
  if (!closed_ && busy_ < most_) {
    ++busy_;
    co_return Result<void>();
  }
  const auto self = shared_from_this();
  Waiter waiter(*this, until);
  if (!closed_) {
    const auto [code] = co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (waiter.its_turn) co_return Result<void>();  // release() handed its place over: busy_ counts us already
    if (!code) {
      co_return Error{Errc::timeout, server_->origin + ": all " + std::to_string(most_) + " connections stayed busy"};
    }
  }
  co_return Error{Errc::cancelled, server_->origin + ": given up"};
}

std::unique_ptr<Connection> ConnectionPool::take_idle() {
  const auto oldest = mono_now() - max_idle;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest || !idle.connection->usable(); });
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back().connection);
  idle_.pop_back();
  return connection;
}

void ConnectionPool::release() {
  if (waiters_.empty()) {
    --busy_;
    return;
  }
  Waiter* const next = waiters_.front();
  waiters_.pop_front();
  next->its_turn = true;
  next->timer.cancel();
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
