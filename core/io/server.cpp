#include "io/server.hpp"

#include "io/pem.hpp"

#include <tuple>
#include <utility>

namespace konductor::io {

namespace {

Result<NamedPem> load_pem(const kube::PemSource& source, PemUse use, const Environment& environment) {
  if (source.empty()) return NamedPem{};
  NamedPem pem{source.data, source.field + " (inline data)"};
  if (source.data.empty()) {
    auto text = environment.read_file(source.file);
    if (!text) return Error{Errc::bad_config, source.field + ": " + text.error().detail};
    pem = {std::move(*text), source.field + " " + source.file};
  }
  const std::string why = why_no_pem(pem.text, use);
  if (!why.empty()) return Error{Errc::bad_config, pem.name + ": " + why};
  return pem;
}

/// A proxy's certificate may be from anybody whom this system knows, or from the cluster's own authority.
Result<std::shared_ptr<TlsContext>> proxy_context(const TlsSettings& settings) {
  TlsSettings to_proxy;
  to_proxy.authorities = settings.authorities;
  to_proxy.system_too = true;
  return make_tls_context(to_proxy);
}

}  // namespace

Result<TlsSettings> read_tls_settings(const kube::ClusterAccess& access, const Environment& environment) {
  TlsSettings tls;
  if (!access.server.tls) return tls;
  for (const auto& [source, use, pem] : {std::tuple(&access.ca, PemUse::certificates, &tls.authorities),
                                         std::tuple(&access.client_certificate, PemUse::certificates, &tls.certificate),
                                         std::tuple(&access.client_key, PemUse::key, &tls.key)}) {
    auto loaded = load_pem(*source, use, environment);
    if (!loaded) return loaded.error();
    *pem = std::move(*loaded);
  }
  tls.server_name = access.tls_server_name;
  tls.insecure = access.insecure_skip_tls_verify;
  return tls;
}

Result<std::shared_ptr<const Server>> make_server(const kube::ClusterAccess& access, const TlsSettings& settings) {
  auto server = std::make_shared<Server>();
  server->host = access.server.host;
  server->port = access.server.port;
  server->proxy = access.proxy;
  server->origin = (access.server.tls ? "https://" : "http://") + kube::with_brackets(server->host) + ":" +
                   std::to_string(server->port);
  if (server->proxy && server->proxy->kind == kube::Proxy::Kind::https) {
    auto context = proxy_context(settings);
    if (!context) return context.error();
    server->proxy_tls = *context;
  }
  if (access.server.tls) {
    auto context = make_tls_context(settings);
    if (!context) return context.error();
    server->tls = *context;
  }
  return std::shared_ptr<const Server>(std::move(server));
}

}  // namespace konductor::io
