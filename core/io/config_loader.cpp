#include "io/config_loader.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace konductor::io {

namespace {

const std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

Result<kube::KubeconfigFile> read_kubeconfig(const std::string& path, const Environment& environment) {
  auto text = environment.read_file(path);
  if (!text) return Error{text.error().code, "kubeconfig: " + text.error().detail};
  return kube::parse_kubeconfig(*text, path);
}

Result<kube::ClusterAccess> from_file(const std::string& path, const std::string& context,
                                      const Environment& environment) {
  const auto file = read_kubeconfig(path, environment);
  if (!file) return file.error();
  return kube::resolve(*file, context);
}

Result<kube::ClusterAccess> from_list(std::string_view list, const std::string& context,
                                      const Environment& environment) {
  const std::string whole(list);
  std::vector<kube::KubeconfigFile> files;
  while (!list.empty()) {
    const auto colon = list.find(':');
    const std::string path(list.substr(0, colon));
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
    if (path.empty()) continue;
    auto file = read_kubeconfig(path, environment);
    if (file) {
      files.push_back(std::move(*file));
    } else if (file.error().code != Errc::not_found) {
      return file.error();
    }
  }
  if (files.empty()) return Error{Errc::bad_config, "KUBECONFIG=" + whole + ": no such file"};
  return kube::resolve(kube::merge_kubeconfigs(files), context);
}

/// As kubectl's: the upper-case name wins.
std::string variable_of(const Environment& environment, const std::string& upper, const std::string& lower) {
  const auto value = environment.variable(upper);
  if (value && !value->empty()) return *value;
  return environment.variable(lower).value_or("");
}

Result<kube::ClusterAccess> from_pod(const std::string& host, const std::string& port, const Environment& environment) {
  auto server = kube::parse_server_url("https://" + kube::with_brackets(host) + ":" + port,
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

Result<kube::ClusterAccess> find_cluster(const ConfigOptions& options, const Environment& environment) {
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

/// A proxy-url of the kubeconfig is there already, and wins.
Result<void> add_proxy(kube::ClusterAccess& access, const Environment& environment) {
  if (access.proxy) return {};
  kube::ProxyVariables variables;
  variables.http_proxy = variable_of(environment, "HTTP_PROXY", "http_proxy");
  variables.https_proxy = variable_of(environment, "HTTPS_PROXY", "https_proxy");
  variables.no_proxy = variable_of(environment, "NO_PROXY", "no_proxy");
  variables.cgi = environment.variable("REQUEST_METHOD").has_value();
  auto proxy = kube::proxy_for(access.server, variables);
  if (!proxy) return proxy.error();
  access.proxy = std::move(*proxy);
  return {};
}

}  // namespace

Result<kube::ClusterAccess> load_config(const ConfigOptions& options, const Environment& environment) {
  auto access = find_cluster(options, environment);
  if (!access) return access;
  const auto proxied = add_proxy(*access, environment);
  if (!proxied) return proxied.error();
  return access;
}

}  // namespace konductor::io
