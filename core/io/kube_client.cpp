#include "io/kube_client.hpp"

#include "io/clock.hpp"

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
  auto credentials = Credentials::load(executor, access, environment);
  if (!credentials) return credentials.error();
  auto server = (*credentials)->server();
  std::string origin = server->origin;
  settings.path_prefix = access.server.base_path;
  auto transport = std::make_unique<HttpTransport>(executor, std::move(server), std::move(settings));
  return std::unique_ptr<KubeClient>(new KubeClient(std::move(transport), std::move(*credentials), std::move(origin)));
}

KubeClient::KubeClient(std::unique_ptr<HttpTransport> transport, std::unique_ptr<Credentials> credentials,
                       std::string origin)
    : transport_(std::move(transport)), credentials_(std::move(credentials)), origin_(std::move(origin)) {}
KubeClient::~KubeClient() = default;

asio::awaitable<Result<Credentials::Pass>> KubeClient::pass(runtime::MonoTime until) {
  auto pass = co_await credentials_->pass(until, now().server);
  if (pass) transport_->use(pass->server);
  co_return pass;
}

/// True where the error is about certificates, and there are others by now.
bool KubeClient::renew(const Credentials::Pass& used, const Error& error) {
  if (error.code == Errc::unauthorized) return credentials_->renew(used, Credentials::Refusal::of_us);
  return error.code == Errc::bad_config && credentials_->renew(used, Credentials::Refusal::of_server);
}

asio::awaitable<Result<kube::Response>> KubeClient::send(const kube::Request& request, runtime::Duration deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto until = mono_now() + deadline;
  for (bool again = false;; again = true) {
    const auto used = co_await pass(until);
    if (!used) co_return used.error();
    auto response = co_await transport_->send(request, used->authorization, until - mono_now());
    if (response) clock_.learn(response->date, mono_now());
    const bool accepted = response && response->status != unauthorized;
    if (accepted || again) co_return response;
    const bool renewed =
        response ? credentials_->renew(*used, Credentials::Refusal::of_us) : renew(*used, response.error());
    if (!renewed) co_return response;
  }
}

asio::awaitable<Result<void>> KubeClient::stream(const kube::Request& request, const StreamSink& sink,
                                                 runtime::Duration idle) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (bool again = false;; again = true) {
    const auto used = co_await pass(mono_now() + idle);
    if (!used) co_return used.error();
    bool try_again = false;
    bool answered = false;
    StreamSink inner = sink;
    inner.on_response = [&](const kube::Response& response) {
      answered = true;
      clock_.learn(response.date, mono_now());
      try_again = response.status == unauthorized && !again && credentials_->renew(*used, Credentials::Refusal::of_us);
      if (!try_again) sink.on_response(response);
    };
    auto ended = co_await transport_->stream(request, used->authorization, inner, idle);
    if (!ended && !answered && !again) try_again = renew(*used, ended.error());
    if (!try_again) co_return ended;
  }
}

void KubeClient::close() {
  credentials_->close();
  transport_->close();
}

runtime::Now KubeClient::now() {
  const auto mono = mono_now();
  return {.mono = mono, .server = clock_.now(mono, wall_now())};
}

}  // namespace konductor::io
