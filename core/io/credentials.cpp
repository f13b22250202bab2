#include "io/credentials.hpp"

#include "io/clock.hpp"

#include <utility>

namespace konductor::io {

namespace asio = boost::asio;

Credentials::Credentials(ServerSource server, TokenSource token)
    : server_(std::move(server)), token_(std::move(token)) {}

Result<std::unique_ptr<Credentials>> Credentials::load(const asio::any_io_executor& executor,
                                                       const kube::ClusterAccess& access,
                                                       const Environment& environment) {
  auto server = ServerSource::load(access, environment, mono_now());
  if (!server) return server.error();
  kube::ExecCluster told;
  told.server = access.server_text;
  told.tls_server_name = access.tls_server_name;
  told.insecure_skip_tls_verify = access.insecure_skip_tls_verify;
  told.authority = server->settings().authorities.text;
  told.proxy_url = access.proxy_text;
  told.config = access.exec_config;
  TokenSource token(access.token, access.token_file, environment.read_file);
  std::unique_ptr<Credentials> credentials(new Credentials(std::move(*server), std::move(token)));
  if (access.exec) {
    credentials->plugin_ = access.exec;
    credentials->exec_ = std::make_unique<ExecSource>(executor, *access.exec, told, environment.terminal);
  }
  return credentials;
}

asio::awaitable<Result<Credentials::Pass>> Credentials::pass(runtime::MonoTime until, runtime::WallTime now) {
  Pass pass;
  if (exec_) {
    auto given = co_await exec_->get(until, now);
    if (!given) co_return given.error();
    const auto known = server_.identify(**given, *plugin_, mono_now());
    if (!known) {
      exec_->discard(*given, known.error());
      co_return known.error();
    }
    pass.given = std::move(*given);
    if (!pass.given->token.empty()) pass.authorization = "Bearer " + pass.given->token;
  } else {
    auto authorization = token_.authorization(mono_now());
    if (!authorization) co_return authorization.error();
    pass.authorization = std::move(*authorization);
  }
  pass.server = server_.server(mono_now());
  co_return pass;
}

bool Credentials::renew(const Pass& refused, Refusal why) {
  const bool other_server = server_.renew(refused.server, mono_now());
  if (why == Refusal::of_server) return other_server;
  if (exec_) {
    return exec_->refuse(refused.given, mono_now()) || other_server;
  }
  return token_.renew(refused.authorization, mono_now()) || other_server;
}

void Credentials::close() {
  if (exec_) exec_->close();
}

}  // namespace konductor::io
