#include "operator/options.hpp"

#include "kube/time.hpp"

#include <CLI/CLI.hpp>

namespace konductor::app {
namespace {

constexpr int most_per_second = 1'000'000;

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string withhold = "0s";
  CLI::App app{"Konductor: synchronization primitives for Kubernetes, each loaded from a plugin", "konductor"};
  app.add_option("--plugin-dir", options.plugin_dirs,
                 "Folder of plugins; may be repeated. Else $KONDUCTOR_PLUGIN_DIR, else beside this program");
  app.add_option("--kubeconfig", options.kubeconfig,
                 "Else $KUBECONFIG, else ~/.kube/config, else the pod's service account");
  app.add_option("--context", options.context, "Context of the kubeconfig");
  app.add_flag("--leader-elect", options.leader_elect,
               "Act only while holding a coordination.k8s.io lock; for two and more replicas");
  app.add_option("--leader-elect-namespace", options.leader_elect_namespace, "Namespace of that lock");
  app.add_option("--identity", options.identity, "Name of this replica in that lock");
  app.add_option("--metrics-address", options.metrics_address,
                 "Where /metrics, /healthz and /readyz are served: IP:PORT, [IPv6]:PORT or :PORT; \"off\": nowhere")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option(
      "--withhold-grants", withhold,
      "Grant nothing for this long after the start: after etcd was restored from a backup, the longest TTL in use");
  app.add_option("--kube-api-qps", options.kube_api_qps,
                 "Most requests a second to the API server, watches and the election aside; 0: no bound")
      ->check(CLI::Range(0, most_per_second))
      ->capture_default_str();
  app.add_option("--kube-api-burst", options.kube_api_burst, "How many of them may come at once")
      ->check(CLI::Range(1, most_per_second))
      ->capture_default_str();
  auto* manifests = app.add_subcommand(
      "manifests", "Print the CRDs and roles of the plugins that are loaded, for kubectl apply -f -");
  auto* version = app.add_subcommand("version", "Print the version");
  manifests->fallthrough();
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    options.task = Task::help;
    options.help = app.help();
    return options;
  } catch (const CLI::ParseError& error) {
    return Error{Errc::bad_config, std::string(error.what()) + " (see konductor --help)", 0};
  }
  const auto parsed = kube::parse_duration(withhold);
  if (!parsed) return Error{Errc::bad_config, "--withhold-grants: " + parsed.error().detail, 0};
  options.withhold_grants = *parsed;
  if (*manifests) options.task = Task::manifests;
  if (*version) options.task = Task::version;
  return options;
}

}  // namespace konductor::app
