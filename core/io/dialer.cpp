#include "io/dialer.hpp"

#include "io/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace konductor::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr runtime::Duration next_after = std::chrono::milliseconds{250};  // RFC 8305, section 8

std::string words_of(const error_code& code) {
  std::string words = code.message();
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

}  // namespace

Endpoints alternating(const Endpoints& endpoints) {
  Endpoints ordered;
  Endpoints other;
  for (const auto& endpoint : endpoints) {
    const bool first_family = endpoint.protocol() == endpoints.front().protocol();
    (first_family ? ordered : other).push_back(endpoint);
  }
  for (std::size_t i = 0; i < other.size(); ++i) {
    const std::size_t place = std::min(2 * i + 1, ordered.size());
    ordered.insert(ordered.begin() + static_cast<std::ptrdiff_t>(place), other[i]);
  }
  return ordered;
}

/// Shared with the handlers of what still connects.
struct Dialer::Attempts : public std::enable_shared_from_this<Attempts> {
  Attempts(asio::any_io_executor on, Endpoints to)
      : executor(std::move(on)), endpoints(std::move(to)), wake(executor) {}

  void start_next() {
    const auto& endpoint = endpoints[sockets.size()];
    sockets.push_back(std::make_unique<tcp::socket>(executor));
    ++pending;
    sockets.back()->async_connect(endpoint, [self = shared_from_this(), index = sockets.size() - 1](error_code code) {
      self->finish(index, code);
    });
  }

  void finish(std::size_t index, const error_code& code) {
    --pending;
    if (!code && !winner) {
      winner = index;
    } else if (code) {
      if (!failures.empty()) failures += "; ";
      if (endpoints.size() > 1) failures += endpoints[index].address().to_string() + " ";
      failures += words_of(code);
    }
    wake.cancel();
  }

  void close_all() {
    error_code ignored;
    for (auto& socket : sockets) socket->close(ignored);
  }

  asio::any_io_executor executor;
  Endpoints endpoints;
  BootTimer wake;
  std::vector<std::unique_ptr<tcp::socket>> sockets;  // of those that were begun, in order
  std::size_t pending = 0;
  std::optional<std::size_t> winner;
  std::string failures;
  bool given_up = false;
};

Dialer::Dialer(asio::any_io_executor executor, const Endpoints& endpoints)
    : attempts_(std::make_shared<Attempts>(std::move(executor), alternating(endpoints))) {}
Dialer::~Dialer() {
  cancel();
}

void Dialer::cancel() {
  attempts_->given_up = true;
  attempts_->close_all();
  attempts_->wake.cancel();
}

asio::awaitable<Result<tcp::socket>> Dialer::dial(runtime::MonoTime until) {
  const auto attempts = attempts_;
  auto next_at = mono_now();
  while (!attempts->winner) {
    // A wait that was already over when the cancellation came does not show it.
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (attempts->given_up || cancellation.cancelled() != asio::cancellation_type::none) {
      attempts->close_all();
      co_return Error{Errc::cancelled, "given up"};
    }
    const auto now = mono_now();
    if (now >= until) {
      attempts->close_all();
      co_return Error{Errc::timeout, "timed out"};
    }
    const bool more = attempts->sockets.size() < attempts->endpoints.size();
    if (!more && attempts->pending == 0) co_return Error{Errc::unavailable, attempts->failures};
    if (more && (attempts->pending == 0 || now >= next_at)) {
      attempts->start_next();
      next_at = now + next_after;
      continue;
    }
    attempts->wake.expires_at(more ? std::min(until, next_at) : until);
    co_await attempts->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  tcp::socket connected = std::move(*attempts->sockets[*attempts->winner]);
  attempts->close_all();
  co_return connected;
}

}  // namespace konductor::io
