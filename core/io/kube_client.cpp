#include "io/kube_client.hpp"

#include "io/clock.hpp"
#include "io/config_loader.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace konductor::io {

namespace asio = boost::asio;

namespace {

constexpr int unauthorized = 401;

}  // namespace

Result<std::unique_ptr<KubeClient>> KubeClient::create(const asio::any_io_executor& executor,
                                                       const kube::ClusterAccess& access,
                                                       const Environment& environment, TransportSettings settings) {
  auto server = load_server(access, environment);
  if (!server) return server.error();
  std::string origin = server->origin;
  settings.path_prefix = access.server.base_path;
  auto transport = std::make_unique<HttpTransport>(executor, std::move(*server), std::move(settings));
  TokenSource token(access.token, access.token_file, environment.read_file);
  return std::unique_ptr<KubeClient>(new KubeClient(std::move(transport), std::move(token), std::move(origin)));
}

KubeClient::KubeClient(std::unique_ptr<HttpTransport> transport, TokenSource token, std::string origin)
    : transport_(std::move(transport)), token_(std::move(token)), origin_(std::move(origin)) {}
KubeClient::~KubeClient() = default;

asio::awaitable<Result<kube::Response>> KubeClient::send(const kube::Request& request, runtime::Duration deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto until = mono_now() + deadline;
  for (bool again = false;; again = true) {
    const auto authorization = token_.authorization(mono_now());
    if (!authorization) co_return authorization.error();
    auto response = co_await transport_->send(request, *authorization, until - mono_now());
    if (!response) co_return response;
    clock_.learn(response->date, mono_now());
    if (response->status != unauthorized || again || !token_.renew(*authorization, mono_now())) co_return response;
  }
}

asio::awaitable<Result<void>> KubeClient::stream(const kube::Request& request, const StreamSink& sink,
                                                 runtime::Duration idle) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (bool again = false;; again = true) {
    const auto authorization = token_.authorization(mono_now());
    if (!authorization) co_return authorization.error();
    bool try_again = false;
    StreamSink inner = sink;
    inner.on_response = [&](const kube::Response& response) {
      clock_.learn(response.date, mono_now());
      try_again = response.status == unauthorized && !again && token_.renew(*authorization, mono_now());
      if (!try_again) sink.on_response(response);
    };
    auto ended = co_await transport_->stream(request, *authorization, inner, idle);
    if (!try_again) co_return ended;
  }
}

void KubeClient::close() {
  transport_->close();
}

runtime::Now KubeClient::now() {
  const auto mono = mono_now();
  return {.mono = mono, .server = clock_.now(mono, wall_now())};
}

}  // namespace konductor::io
