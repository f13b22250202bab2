#include "kondctl/session.hpp"

#include "io/clock.hpp"
#include "io/config_loader.hpp"
#include "io/environment.hpp"
#include "kondctl/retry_delay.hpp"
#include "kube/jwt.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <random>
#include <unistd.h>
#include <utility>

namespace konductor::kondctl {

namespace {

constexpr const char* service_account_token = "/var/run/secrets/kubernetes.io/serviceaccount/token";
constexpr runtime::Duration longest_request = std::chrono::seconds{10};
constexpr runtime::Duration retry_first = std::chrono::milliseconds{100};
constexpr runtime::Duration retry_most = std::chrono::seconds{2};

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

Surroundings look_around(const kube::ClusterAccess& access, const io::Environment& environment) {
  const auto variable = [&environment](const char* name) { return environment.variable(name).value_or(""); };
  Surroundings found;
  // A token says who we are only to the cluster that issued it.
  if (access.token_file == service_account_token) {
    if (auto token = environment.read_file(access.token_file)) found.token = std::move(*token);
  }
  found.pod_name = variable("POD_NAME");
  found.pod_namespace = variable("POD_NAMESPACE");
  found.pod_uid = variable("POD_UID");
  found.user = variable("USER");
  if (found.user.empty()) found.user = "uid" + std::to_string(geteuid());
  found.host = host_name();
  found.random = random_number();
  return found;
}

boost::asio::awaitable<void> send_patiently(io::KubeClient& client, const kube::Request& request,
                                            const std::string& doing, runtime::MonoTime until,
                                            std::optional<Result<nlohmann::json>>& out) {
  RetryDelay delay(retry_first, retry_most, random_number());
  io::BootTimer timer(co_await boost::asio::this_coro::executor);
  while (true) {
    const runtime::Duration left = until - io::mono_now();
    const runtime::Duration time = std::clamp(left, runtime::Duration{1}, longest_request);
    auto answer = co_await client.send(request, time);
    if (answer) {
      out = kube::classify(*answer, doing);
    } else {
      Error error = answer.error();
      error.detail = doing + ": " + error.detail;
      out = std::move(error);
    }
    if (*out || !is_retryable(out->error().code)) co_return;
    timer.expires_at(std::min(io::mono_now() + delay.next(out->error()), until));
    co_await timer.async_wait(boost::asio::use_awaitable);
    if (io::mono_now() >= until) co_return;
  }
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const Invocation& invocation, Console& console,
                                               runtime::MonoTime started, Asks asks) {
  io::Environment environment = io::system_environment();
  environment.terminal = asks == Asks::the_user && isatty(STDIN_FILENO) == 1;
  const auto access = io::load_config({invocation.global.kubeconfig, invocation.global.context}, environment);
  if (!access) return access.error();
  const std::string& default_ns = access->ns;
  std::unique_ptr<Session> session(new Session(invocation, console, started));
  auto client = io::KubeClient::create(session->io.get_executor(), *access, environment);
  if (!client) return client.error();
  session->client = std::move(*client);
  session->surroundings_ = look_around(*access, environment);
  session->ns_ = invocation.global.ns;
  if (session->ns_.empty()) {
    const auto who = session->identity();
    session->ns_ = who && !who->pod_namespace.empty() ? who->pod_namespace : default_ns;
  }
  console.detail("API server " + session->client->origin() + ", namespace " + session->ns_);
  return session;
}

Result<nlohmann::json> Session::ask(const kube::Request& request, const std::string& doing, runtime::MonoTime until) {
  std::optional<Result<nlohmann::json>> answer;
  console.detail(std::string(to_string(request.method)) + " " + request.target);
  io.restart();
  int signalled = 0;
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    signalled = number;
    client->close();  // ends an exec plugin with all that it started
    io.stop();
  });
  boost::asio::co_spawn(io, send_patiently(*client, request, doing, until, answer),
                        [this](const std::exception_ptr&) { io.stop(); });  // a child that still ends is not awaited
  io.run();
  signals.clear();
  if (signalled != 0) std::raise(signalled);
  if (!answer) return Error{Errc::cancelled, doing + ": interrupted", 0};
  return *answer;
}

Result<std::vector<nlohmann::json>> Session::list(const kube::Resource& resource, const std::string& ns,
                                                  const std::string& field_selector, runtime::MonoTime until) {
  std::vector<nlohmann::json> objects;
  kube::ListOptions options;
  options.field_selector = field_selector;
  do {
    auto page = ask(kube::list(resource, ns, options), "list " + to_string(resource), until);
    if (!page) return page.error();
    if (page->contains("items") && (*page)["items"].is_array()) {
      for (nlohmann::json& item : (*page)["items"]) objects.push_back(std::move(item));
    }
    const nlohmann::json metadata = page->value("metadata", nlohmann::json::object());
    options.continue_token = metadata.is_object() ? metadata.value("continue", "") : "";
  } while (!options.continue_token.empty());
  return objects;
}

Result<Identity> Session::identity() const {
  return identify(surroundings_, invocation.claim.holder, invocation.claim.slot);
}

}  // namespace konductor::kondctl
