#include "kube/base64.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

Error bad_config(std::string_view what, const std::string& why) {
  return {Errc::bad_config, std::string(what) + ": " + why};
}

template <class T>
std::string names_in(const KubeconfigFile::ByName<T>& entries) {
  std::string names;
  for (const auto& [name, entry] : entries) {
    if (names.size() > 500) return names + ", ...";
    names += (names.empty() ? "" : ", ") + one_line(name, 80);
  }
  return names.empty() ? "it has none" : "it has " + names;
}

bool is_visible_ascii(char c) noexcept {
  return c > 0x20 && c < 0x7f;
}

/// "-data" wins over the file, as in kubectl.
Result<PemSource> pem_source(const std::string& data, const std::string& file, const std::string& field) {
  if (data.empty()) return PemSource{.data = {}, .file = file, .field = field};
  const std::string data_field = field + "-data";
  std::optional<std::string> decoded = decode_base64(data);
  if (!decoded || decoded->empty()) return bad_config(data_field, "this is not base64");
  return PemSource{.data = std::move(*decoded), .file = {}, .field = data_field};
}

/// Why `user` cannot be used, or empty.
std::string why_unusable(const KubeconfigFile::User& user) {
  if (!user.unsupported.empty()) {
    std::string fields;
    for (const std::string& field : user.unsupported) fields += (fields.empty() ? "" : ", ") + field;
    return fields + (user.unsupported.size() == 1 ? " is" : " are") +
           " not supported: use a client certificate, a token, a tokenFile or an exec plugin";
  }
  if (!user.exec_problem.empty()) return user.exec_problem;
  const bool certificate = !user.client_certificate_data.empty() || !user.client_certificate_file.empty();
  const bool key = !user.client_key_data.empty() || !user.client_key_file.empty();
  if (certificate && !key) return "it has a client-certificate and no client-key";
  if (key && !certificate) return "it has a client-key and no client-certificate";
  // It goes into a header.
  if (!std::ranges::all_of(user.token, is_visible_ascii)) return "its token has white space or control characters";
  return {};
}

Result<void> apply_cluster(const KubeconfigFile::Cluster& cluster, const std::string& what, ClusterAccess& access) {
  if (cluster.server.empty()) return bad_config(what, "it has no server");
  if (cluster.insecure_skip_tls_verify && (!cluster.ca_data.empty() || !cluster.ca_file.empty())) {
    return bad_config(what, "insecure-skip-tls-verify and a certificate-authority exclude each other");
  }
  Result<ServerUrl> server = parse_server_url(cluster.server, what);
  if (!server) return server.error();
  Result<PemSource> ca = pem_source(cluster.ca_data, cluster.ca_file, what + ": certificate-authority");
  if (!ca) return ca.error();
  if (!cluster.proxy_url.empty()) {
    Result<Proxy> proxy = parse_proxy_url(cluster.proxy_url, what + ": proxy-url");
    if (!proxy) return proxy.error();
    access.proxy = std::move(*proxy);
    access.proxy_text = cluster.proxy_url;
  }
  access.server = std::move(*server);
  access.server_text = cluster.server;
  access.exec_config = cluster.exec_config;
  access.ca = std::move(*ca);
  access.tls_server_name = cluster.tls_server_name;
  access.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
  return {};
}

Result<void> apply_user(const KubeconfigFile::User& user, const std::string& what, ClusterAccess& access) {
  if (const std::string why = why_unusable(user); !why.empty()) return bad_config(what, why);
  Result<PemSource> certificate =
      pem_source(user.client_certificate_data, user.client_certificate_file, what + ": client-certificate");
  if (!certificate) return certificate.error();
  Result<PemSource> key = pem_source(user.client_key_data, user.client_key_file, what + ": client-key");
  if (!key) return key.error();
  access.client_certificate = std::move(*certificate);
  access.client_key = std::move(*key);
  access.token = user.token;
  access.token_file = user.token_file;
  // As in kubectl a token at hand is used, and nothing is run for one.
  if (user.exec && user.token.empty() && user.token_file.empty()) {
    access.exec = user.exec;
    access.exec->field = what;
  }
  return {};
}

}  // namespace

Result<ClusterAccess> resolve(const KubeconfigFile& file, std::string_view context) {
  const std::string prefix = "kubeconfig " + file.path;
  const std::string_view wanted = context.empty() ? std::string_view{file.current_context} : context;
  if (wanted.empty()) {
    if (file.contexts.empty())
      return bad_config(prefix, "no current-context is set, and it has no contexts; is it empty?");
    return bad_config(prefix, "no current-context is set; choose a context (" + names_in(file.contexts) +
                                  "), for example with kubectl config use-context NAME");
  }
  const auto found = file.contexts.find(wanted);
  if (found == file.contexts.end()) {
    return bad_config(prefix, "no context " + quoted(wanted) + "; " + names_in(file.contexts));
  }
  const std::string needed_by = ", which context " + quoted(wanted) + " names; ";
  const KubeconfigFile::Context& chosen = found->second;
  const auto cluster = file.clusters.find(chosen.cluster);
  if (cluster == file.clusters.end()) {
    return bad_config(prefix, "no cluster " + quoted(chosen.cluster) + needed_by + names_in(file.clusters));
  }
  ClusterAccess access;
  if (!chosen.ns.empty()) access.ns = chosen.ns;
  const std::string of_cluster = "kubeconfig " + cluster->second.from + ": cluster " + quoted(chosen.cluster);
  const auto cluster_applied = apply_cluster(cluster->second, of_cluster, access);
  if (!cluster_applied) return cluster_applied.error();
  // A context without a user is anonymous, as in kubectl.
  if (chosen.user.empty()) return access;
  const auto user = file.users.find(chosen.user);
  if (user == file.users.end()) {
    return bad_config(prefix, "no user " + quoted(chosen.user) + needed_by + names_in(file.users));
  }
  const std::string of_user = "kubeconfig " + user->second.from + ": user " + quoted(chosen.user);
  const auto user_applied = apply_user(user->second, of_user, access);
  if (!user_applied) return user_applied.error();
  return access;
}

}  // namespace konductor::kube
