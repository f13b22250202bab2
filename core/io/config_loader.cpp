#include "io/config_loader.hpp"

#include "io/pem.hpp"

#include <string_view>
#include <tuple>
#include <utility>

namespace konductor::io {

namespace {

const std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

Result<kube::ClusterAccess> from_file(const std::string& path, const std::string& context,
                                      const Environment& environment) {
  auto text = environment.read_file(path);
  if (!text) return Error{text.error().code, "kubeconfig: " + text.error().detail};
  auto parsed = kube::parse_kubeconfig(*text, path);
  if (!parsed) return parsed.error();
  return kube::resolve(*parsed, context);
}

Result<kube::ClusterAccess> from_list(std::string_view list, const std::string& context,
                                      const Environment& environment) {
  const std::string whole(list);
  while (!list.empty()) {
    const auto colon = list.find(':');
    const std::string path(list.substr(0, colon));
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
    if (path.empty()) continue;
    auto access = from_file(path, context, environment);
    if (access || access.error().code != Errc::not_found) return access;
  }
  return Error{Errc::bad_config, "KUBECONFIG=" + whole + ": no such file"};
}

std::string with_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<kube::ClusterAccess> from_pod(const std::string& host, const std::string& port, const Environment& environment) {
  auto server = kube::parse_server_url("https://" + with_brackets(host) + ":" + port,
                                       "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
  if (!server) return server.error();
  kube::ClusterAccess access;
  access.server = std::move(*server);
  access.token_file = service_account + "token";
  access.ca = {.data = {}, .file = service_account + "ca.crt", .field = "the service account of this pod"};
  if (const auto token = environment.read_file(access.token_file); !token) {
    return Error{Errc::bad_config, "this pod has no usable service account token: " + token.error().detail};
  }
  if (auto ns = environment.read_file(service_account + "namespace"); ns && !ns->empty()) {
    while (!ns->empty() && (ns->back() == '\n' || ns->back() == ' ')) ns->pop_back();
    access.ns = std::move(*ns);
  }
  return access;
}

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

}  // namespace

Result<kube::ClusterAccess> load_config(const ConfigOptions& options, const Environment& environment) {
  if (!options.kubeconfig.empty()) {
    auto access = from_file(options.kubeconfig, options.context, environment);
    if (!access && access.error().code == Errc::not_found) return Error{Errc::bad_config, access.error().detail};
    return access;
  }
  const auto list = environment.variable("KUBECONFIG");
  if (list && !list->empty()) return from_list(*list, options.context, environment);

  const auto home = environment.variable("HOME");
  const std::string home_file = home && !home->empty() ? *home + "/.kube/config" : std::string();
  if (!home_file.empty()) {
    auto access = from_file(home_file, options.context, environment);
    if (access || access.error().code != Errc::not_found) return access;
  }
  const auto host = environment.variable("KUBERNETES_SERVICE_HOST");
  const auto port = environment.variable("KUBERNETES_SERVICE_PORT");
  if (host && port && !host->empty() && !port->empty()) {
    if (options.context.empty()) return from_pod(*host, *port, environment);
    return Error{Errc::bad_config, "--context " + options.context + ": there is no kubeconfig to look it up in"};
  }
  return Error{Errc::bad_config,
               "no Kubernetes cluster is configured. Tried: --kubeconfig (not given), KUBECONFIG "
               "(not set), " +
                   (home_file.empty() ? "~/.kube/config (HOME is not set)" : home_file + " (no such file)") +
                   ", the service account of a pod (KUBERNETES_SERVICE_HOST is not set)"};
}

Result<Server> load_server(const kube::ClusterAccess& access, const Environment& environment) {
  Server server;
  server.host = access.server.host;
  server.port = access.server.port;
  server.origin =
      (access.server.tls ? "https://" : "http://") + with_brackets(server.host) + ":" + std::to_string(server.port);
  if (!access.server.tls) return server;
  TlsSettings tls;
  for (const auto& [source, use, pem] : {std::tuple(&access.ca, PemUse::certificates, &tls.authorities),
                                         std::tuple(&access.client_certificate, PemUse::certificates, &tls.certificate),
                                         std::tuple(&access.client_key, PemUse::key, &tls.key)}) {
    auto loaded = load_pem(*source, use, environment);
    if (!loaded) return loaded.error();
    *pem = std::move(*loaded);
  }
  tls.server_name = access.tls_server_name;
  tls.insecure = access.insecure_skip_tls_verify;
  auto context = make_tls_context(tls);
  if (!context) return context.error();
  server.tls = *context;
  return server;
}

}  // namespace konductor::io
