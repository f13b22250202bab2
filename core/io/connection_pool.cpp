#include "io/connection_pool.hpp"

#include "io/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
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
/// An opening keeps its own time and says what it waited for: whoever waits for it hears of that.
constexpr runtime::Duration late_answer = std::chrono::seconds{1};

}  // namespace

struct ConnectionPool::Waiter {
  Waiter(const asio::any_io_executor& executor, runtime::MonoTime time) : until(time), timer(executor, time) {}

  runtime::MonoTime until;
  BootTimer timer;
  bool has_opening = false;  // one was begun for it, and tells it of its failure
  std::optional<Error> error;
};

ConnectionPool::Loan::Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection, bool counted)
    : pool_(std::move(pool)), connection_(std::move(connection)), counted_(counted) {
  pool_->in_use_.push_back(connection_.get());
  if (counted_) ++pool_->lent_count_;
}

ConnectionPool::Loan::~Loan() {
  if (!pool_) return;
  if (connection_) pool_->forget(*connection_);
  if (!counted_) return;
  --pool_->lent_count_;
  pool_->wake_first();
}

asio::awaitable<Result<void>> ConnectionPool::Loan::renew(runtime::MonoTime until) {
  pool_->forget(*connection_);
  connection_ = pool_->make_connection();
  pool_->in_use_.push_back(connection_.get());
  reused_ = false;
  connection_->expire_at(until);
  co_return co_await connection_->open(pool_->names_);
}

void ConnectionPool::Loan::give_back() {
  pool_->forget(*connection_);
  if (pool_->closed_ || connection_->server() != pool_->server_) return;
  connection_->idle();
  pool_->idle_.push_back({std::move(connection_), mono_now(), true});
}

ConnectionPool::ConnectionPool(asio::any_io_executor executor, std::shared_ptr<const Server> server, std::size_t most)
    : executor_(std::move(executor)),
      server_(std::move(server)),
      names_(executor_),
      most_(std::max<std::size_t>(most, 1)) {}

asio::awaitable<Result<ConnectionPool::Loan>> ConnectionPool::borrow(runtime::MonoTime until) {
  const auto self = shared_from_this();
  const auto waiter = std::make_shared<Waiter>(executor_, until);
  waiters_.push_back(waiter);
  auto loan = co_await take_in_turn(*waiter);
  std::erase(waiters_, waiter);
  wake_first();
  co_return loan;
}

asio::awaitable<Result<ConnectionPool::Loan>> ConnectionPool::take_in_turn(Waiter& waiter) {
  bool is_late = false;
  while (!closed_ && !is_late) {
    if (waiter.error) co_return std::move(*waiter.error);
    auto loan = waiters_.front().get() == &waiter ? take_idle() : std::nullopt;
    if (loan) co_return std::move(*loan);
    open_more();
    const auto [cancelled] = co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    is_late = !cancelled && waiter.timer.expiry() <= mono_now();
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) break;
  }
  if (!is_late) co_return Error{Errc::cancelled, server_->origin + ": given up"};
  const auto why = lent_count_ >= most_ ? "all " + std::to_string(most_) + " connections stayed busy"
                                        : std::string("no connection could be opened in time");
  co_return Error{Errc::timeout, server_->origin + ": " + why};
}

ConnectionPool::Loan ConnectionPool::extra() {
  return {shared_from_this(), make_connection(), false};
}

void ConnectionPool::use(std::shared_ptr<const Server> server) {
  if (server == server_) return;
  server_ = std::move(server);
  idle_.clear();
}

void ConnectionPool::close() {
  closed_ = true;
  idle_.clear();
  for (Connection* connection : in_use_) connection->close();
  for (const auto& waiter : waiters_) waiter->timer.cancel();
}

std::optional<ConnectionPool::Loan> ConnectionPool::take_idle() {
  const auto oldest = mono_now() - max_idle;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest || !idle.connection->usable(); });
  if (closed_ || idle_.empty() || lent_count_ >= most_) return std::nullopt;
  Idle idle = std::move(idle_.back());
  idle_.pop_back();
  Loan loan(shared_from_this(), std::move(idle.connection), true);
  loan.reused_ = idle.used;
  return loan;
}

void ConnectionPool::wake_first() {
  if (!waiters_.empty()) waiters_.front()->timer.cancel();
}

void ConnectionPool::open_more() {
  for (const auto& waiter : waiters_) {
    if (closed_ || opening_ >= most_opening || lent_count_ + opening_ >= most_) return;
    if (std::exchange(waiter->has_opening, true)) continue;
    waiter->timer.expires_at(waiter->until + late_answer);
    ++opening_;
    auto made = make_connection();
    in_use_.push_back(made.get());
    made->expire_at(waiter->until);
    asio::co_spawn(executor_, open_one(shared_from_this(), std::move(made), waiter), asio::detached);
  }
}

asio::awaitable<void> ConnectionPool::open_one(std::shared_ptr<ConnectionPool> self, std::unique_ptr<Connection> made,
                                               std::weak_ptr<Waiter> whose) {
  const auto opened = co_await made->open(self->names_);
  --self->opening_;
  self->forget(*made);
  if (const auto waiter = whose.lock()) {
    waiter->has_opening = false;
    if (!opened) waiter->error = opened.error();
    waiter->timer.expires_at(waiter->until);
  }
  if (opened && !self->closed_ && made->server() == self->server_) {
    made->idle();
    self->idle_.push_back({std::move(made), mono_now(), false});
  }
  self->wake_first();
}

std::unique_ptr<Connection> ConnectionPool::make_connection() {
  return std::make_unique<Connection>(executor_, server_);
}

void ConnectionPool::forget(const Connection& connection) {
  std::erase(in_use_, &connection);
}

}  // namespace konductor::io
