#include "kube/exec_credential.hpp"

#include "kube/base64.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

constexpr std::size_t words_of_stderr = 400;
constexpr std::size_t words_of_hint = 400;

std::string text_of(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// What ends each message: its own words, and what its configuration says on how to get it.
std::string with_hint(std::string sentence, const ExecPlugin& plugin) {
  const std::string hint = one_line(plugin.install_hint, words_of_hint);
  return hint.empty() ? sentence : std::move(sentence) + "; " + hint;
}

Error not_such_a_program(const ExecPlugin& plugin, const std::string& why) {
  return {Errc::bad_config, with_hint(name_of(plugin) + " " + why, plugin)};
}

Result<ExecCredential> parse(std::string_view output, const ExecPlugin& plugin) {
  // What it printed may be half a secret: the message shows nothing of it.
  const auto answer = nlohmann::json::parse(output, nullptr, false);
  if (!answer.is_object() || text_at(answer, "kind") != "ExecCredential") {
    return not_such_a_program(plugin, "printed " + std::to_string(output.size()) + " bytes that are no ExecCredential");
  }
  const std::string& version = text_at(answer, "apiVersion");
  if (version != plugin.api_version) {
    return not_such_a_program(plugin, "answered in " + kube::quoted(version) +
                                          ", and its apiVersion in the kubeconfig is " +
                                          kube::quoted(plugin.api_version));
  }
  ExecCredential credential{text_at(answer, "status.token"), text_at(answer, "status.clientCertificateData"),
                            text_at(answer, "status.clientKeyData"), std::nullopt};
  if (credential.certificate.empty() != credential.key.empty()) {
    return not_such_a_program(plugin, "gave only one of clientCertificateData and clientKeyData");
  }
  if (credential.token.empty() && credential.key.empty()) {
    return not_such_a_program(plugin, "gave neither a token nor a client certificate");
  }
  // It goes into a header.
  if (!std::ranges::all_of(credential.token, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return not_such_a_program(plugin, "gave a token with white space or control characters");
  }
  const std::string& expiry = text_at(answer, "status.expirationTimestamp");
  if (expiry.empty()) return credential;
  const auto time = parse_rfc3339(expiry);
  if (!time)
    return not_such_a_program(plugin, "gave the expirationTimestamp " + kube::quoted(expiry) + ", which is no time");
  credential.expiry = *time;
  return credential;
}

}  // namespace

std::string name_of(const ExecPlugin& plugin) {
  return plugin.field + ": the exec plugin " + one_line(plugin.command, 200);
}

std::string exec_info(const ExecPlugin& plugin, const ExecCluster& cluster, bool interactive) {
  nlohmann::json spec = {{"interactive", interactive}};
  if (plugin.provide_cluster_info) {
    nlohmann::json& told = spec["cluster"];
    told["server"] = cluster.server;
    if (!cluster.tls_server_name.empty()) told["tls-server-name"] = cluster.tls_server_name;
    if (cluster.insecure_skip_tls_verify) told["insecure-skip-tls-verify"] = true;
    if (!cluster.authority.empty()) told["certificate-authority-data"] = encode_base64(cluster.authority);
    if (!cluster.proxy_url.empty()) told["proxy-url"] = cluster.proxy_url;
    if (!cluster.config.empty()) told["config"] = nlohmann::json::parse(cluster.config, nullptr, false);
  }
  return text_of({{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

Result<ExecCredential> judge(const ExecRun& run, const ExecPlugin& plugin) {
  if (run.out_too_long) return not_such_a_program(plugin, "printed more than an ExecCredential can have");
  if (run.signal == 0 && run.exit_code == 0) return parse(run.out, plugin);
  const std::string said = one_line(run.err, words_of_stderr);
  std::string sentence = name_of(plugin) + " failed with ";
  sentence += run.signal != 0 ? "signal " + std::to_string(run.signal) : "exit code " + std::to_string(run.exit_code);
  sentence += said.empty() ? ", and said nothing on stderr" : ": " + said;
  return Error{Errc::unauthorized, with_hint(std::move(sentence), plugin)};
}

Error cannot_run(const ExecPlugin& plugin, const std::string& why) {
  return not_such_a_program(plugin, why);
}

}  // namespace konductor::kube
