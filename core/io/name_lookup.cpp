#include "io/name_lookup.hpp"

#include "io/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <mutex>
#include <netdb.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;

namespace {

asio::ip::address to_address(const addrinfo& info) {
  asio::ip::tcp::endpoint endpoint;
  if (info.ai_addrlen > endpoint.capacity()) return {};
  std::memcpy(endpoint.data(), info.ai_addr, info.ai_addrlen);
  endpoint.resize(info.ai_addrlen);
  return endpoint.address();
}

std::string words_of(int gai_error) {
  switch (gai_error) {
    case EAI_NONAME:
    case EAI_NODATA: return "host not found";
    case EAI_AGAIN: return "no name server answers (temporary failure in name resolution)";
    default: return gai_strerror(gai_error);
  }
}

Result<NameLookup::Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) return Error{Errc::unavailable, words_of(failed)};
  NameLookup::Addresses addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) addresses.push_back(to_address(*info));
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct NameLookup::Query {
  std::string host;
  bool done = false;
  Result<Addresses> answer = Addresses();
  std::vector<BootTimer*> waiting;  // each lives in a coroutine and takes itself out

  void finish(Result<Addresses> result) {
    answer = std::move(result);
    done = true;
    for (BootTimer* timer : waiting) timer->cancel();
  }
};

namespace {

class Waiting {
 public:
  Waiting(std::vector<BootTimer*>& list, BootTimer& timer) : list_(list), timer_(timer) { list_.push_back(&timer_); }
  ~Waiting() { std::erase(list_, &timer_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::vector<BootTimer*>& list_;
  BootTimer& timer_;
};

}  // namespace

/// The one thing that the look-up threads share with the io_context's: where to post, while there is somebody to post
/// to.
struct NameLookup::Mailbox {
  std::mutex mutex;
  bool open = true;  // guarded by mutex
  asio::any_io_executor executor;

  void deliver(std::shared_ptr<Query> query, Result<Addresses> answer) {
    const std::scoped_lock lock(mutex);
    if (!open) return;
    asio::post(executor,
               [query = std::move(query), answer = std::move(answer)]() mutable { query->finish(std::move(answer)); });
  }
};

NameLookup::NameLookup(asio::any_io_executor executor) : NameLookup(std::move(executor), ask_system) {}

NameLookup::NameLookup(asio::any_io_executor executor, Ask ask)
    : executor_(std::move(executor)), ask_(std::move(ask)), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->executor = executor_;
}

NameLookup::~NameLookup() {
  const std::scoped_lock lock(mailbox_->mutex);
  mailbox_->open = false;
}

Result<std::shared_ptr<NameLookup::Query>> NameLookup::start(const std::string& host) {
  if (auto running = running_.lock(); running && !running->done && running->host == host) return running;
  auto query = std::make_shared<Query>();
  query->host = host;
  try {
    std::thread([mailbox = mailbox_, ask = ask_, query]() mutable {
      auto answer = ask(query->host);
      mailbox->deliver(std::move(query), std::move(answer));
    }).detach();
  } catch (const std::system_error& error) {
    return Error{Errc::unavailable, "look up " + host + ": no thread for it: " + error.what()};
  }
  running_ = query;
  return query;
}

asio::awaitable<Result<Endpoints>> NameLookup::resolve(std::string host, std::uint16_t port, runtime::MonoTime until) {
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return Endpoints{{literal, port}};

  auto started = start(host);
  if (!started) co_return started.error();
  const std::shared_ptr<Query> query = std::move(*started);
  if (!query->done) {
    BootTimer timer(executor_, until);
    const Waiting in_list(query->waiting, timer);
    const auto waited = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!query->done) {
      if (!std::get<0>(waited)) {
        co_return Error{Errc::timeout, "look up " + host + ": the name servers did not answer in time"};
      }
      co_return Error{Errc::cancelled, "look up " + host + ": given up"};
    }
  }
  if (!query->answer) {
    co_return Error{query->answer.error().code, "look up " + host + ": " + query->answer.error().detail};
  }
  Endpoints endpoints;
  for (const auto& address : *query->answer) endpoints.emplace_back(address, port);
  if (endpoints.empty()) co_return Error{Errc::unavailable, "look up " + host + ": no address"};
  co_return endpoints;
}

}  // namespace konductor::io
