#include "kube/base64.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
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

bool is_host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address_character(char c) noexcept {
  return is_host_character(c) || c == ':' || c == '%';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::ranges::equal(text.substr(0, lower.size()), lower, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

/// "-data" wins over the file, as in kubectl.
Result<PemSource> pem_source(const std::string& data, const std::string& file, const std::string& what) {
  if (data.empty()) return PemSource{.data = {}, .file = file};
  std::optional<std::string> decoded = decode_base64(data);
  if (!decoded || decoded->empty()) return bad_config(what, "this is not base64");
  return PemSource{.data = std::move(*decoded), .file = {}};
}

/// Why `user` cannot be used, or empty.
std::string why_unusable(const KubeconfigFile::User& user) {
  if (!user.unsupported.empty()) {
    std::string fields;
    for (const std::string& field : user.unsupported) fields += (fields.empty() ? "" : ", ") + field;
    return fields + (user.unsupported.size() == 1 ? " is" : " are") +
           " not supported yet: use a client certificate, a token or a tokenFile";
  }
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
  if (!cluster.proxy_url.empty()) return bad_config(what, "proxy-url is not supported yet");
  if (cluster.insecure_skip_tls_verify && (!cluster.ca_data.empty() || !cluster.ca_file.empty())) {
    return bad_config(what, "insecure-skip-tls-verify and a certificate-authority exclude each other");
  }
  Result<ServerUrl> server = parse_server_url(cluster.server, what);
  if (!server) return server.error();
  Result<PemSource> ca = pem_source(cluster.ca_data, cluster.ca_file, what + ": certificate-authority-data");
  if (!ca) return ca.error();
  access.server = std::move(*server);
  access.ca = std::move(*ca);
  access.tls_server_name = cluster.tls_server_name;
  access.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
  return {};
}

Result<void> apply_user(const KubeconfigFile::User& user, const std::string& what, ClusterAccess& access) {
  if (const std::string why = why_unusable(user); !why.empty()) return bad_config(what, why);
  Result<PemSource> certificate =
      pem_source(user.client_certificate_data, user.client_certificate_file, what + ": client-certificate-data");
  if (!certificate) return certificate.error();
  Result<PemSource> key = pem_source(user.client_key_data, user.client_key_file, what + ": client-key-data");
  if (!key) return key.error();
  access.client_certificate = std::move(*certificate);
  access.client_key = std::move(*key);
  access.token = user.token;
  access.token_file = user.token_file;
  return {};
}

}  // namespace

Result<ClusterAccess> resolve(const KubeconfigFile& file, std::string_view context) {
  const std::string prefix = "kubeconfig " + file.path;
  const std::string_view wanted = context.empty() ? std::string_view{file.current_context} : context;
  if (wanted.empty()) {
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
  const auto cluster_applied = apply_cluster(cluster->second, prefix + ": cluster " + quoted(chosen.cluster), access);
  if (!cluster_applied) return cluster_applied.error();
  // A context without a user is anonymous, as in kubectl.
  if (chosen.user.empty()) return access;
  const auto user = file.users.find(chosen.user);
  if (user == file.users.end()) {
    return bad_config(prefix, "no user " + quoted(chosen.user) + needed_by + names_in(file.users));
  }
  const auto user_applied = apply_user(user->second, prefix + ": user " + quoted(chosen.user), access);
  if (!user_applied) return user_applied.error();
  return access;
}

Result<ServerUrl> parse_server_url(std::string_view url, std::string_view what) {
  const std::string prefix = std::string(what) + ": server " + quoted(url);
  Error malformed = {Errc::bad_config, prefix + " is not of the form https://HOST[:PORT][/PATH]"};
  ServerUrl server;
  server.tls = starts_with_ignoring_case(url, "https://");
  if (!server.tls && !starts_with_ignoring_case(url, "http://")) {
    return Error{Errc::bad_config, prefix + " must start with https:// or http://"};
  }
  url.remove_prefix(server.tls ? 8 : 7);
  server.port = server.tls ? 443 : 80;

  const std::size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!std::ranges::all_of(path, is_visible_ascii) || path.find_first_of("?#") != std::string_view::npos) {
    return malformed;
  }
  server.base_path = path;

  const bool literal = authority.starts_with('[');
  const std::size_t host_end = literal ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return malformed;
  server.host = literal ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (server.host.empty() || !std::ranges::all_of(server.host, literal ? is_address_character : is_host_character)) {
    return malformed;
  }
  authority.remove_prefix(literal ? host_end + 1 : host_end);
  if (authority.empty()) return server;
  if (authority.front() != ':') return malformed;
  const std::optional<std::uint16_t> port = parse_port(authority.substr(1));
  if (!port) return Error{Errc::bad_config, prefix + " has no port from 1 to 65535 after its ':'"};
  server.port = *port;
  return server;
}

}  // namespace konductor::kube
