#include "operator/options.hpp"

#include "kube/time.hpp"
#include "runtime/elector.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <string>

namespace konductor::app {
namespace {

using runtime::Duration;
using namespace std::chrono_literals;

constexpr int most_per_second = 1'000'000;

Error wrong(const std::string& why) {
  return {Errc::bad_config, why + " (see konductor --help)", 0};
}

/// Flags whose values are durations, as text until all is parsed.
struct DurationFlags {
  static constexpr const char* lease = "--leader-elect-lease-duration";
  static constexpr const char* renew = "--leader-elect-renew-deadline";
  static constexpr const char* retry = "--leader-elect-retry-period";
  static constexpr const char* withhold = "--withhold-grants";

  std::string lease_duration = kube::to_string(runtime::ElectorSettings{}.lease_duration);
  std::string renew_deadline = kube::to_string(runtime::ElectorSettings{}.renew_deadline);
  std::string retry_period = kube::to_string(runtime::ElectorSettings{}.retry_period);
  std::string withhold_grants = "0s";
};

Result<void> read(const char* flag, const std::string& text, Duration& into) {
  const auto parsed = kube::parse_duration(text);
  if (!parsed) return wrong(std::string(flag) + ": " + parsed.error().detail);
  into = *parsed;
  return {};
}

/// The times of the lock fit each other, and into its record.
Result<void> check_election(const Options& options) {
  const auto text = [](const char* flag, Duration value) { return std::string(flag) + " " + kube::to_string(value); };
  const std::string lease = text(DurationFlags::lease, options.lease_duration);
  const std::string renew = text(DurationFlags::renew, options.renew_deadline);
  const std::string retry = text(DurationFlags::retry, options.retry_period);
  if (options.lease_duration < 1s || options.lease_duration > 1h || options.lease_duration % 1s != 0s)
    return wrong(lease + " must be whole seconds from 1s to 1h: the lock says it in seconds");
  if (options.renew_deadline >= options.lease_duration)
    return wrong(renew + " must be shorter than " + lease + ": a leader stops before others may take over");
  if (options.retry_period >= options.renew_deadline)
    return wrong(retry + " must be shorter than " + renew + ": a leader renews more than once in that time");
  if (options.retry_period < 100ms) return wrong(retry + " must be at least 100ms: each is a write");
  return {};
}

Result<void> read(const DurationFlags& flags, Options& options) {
  Result<void> done = read(DurationFlags::withhold, flags.withhold_grants, options.withhold_grants);
  if (done) done = read(DurationFlags::lease, flags.lease_duration, options.lease_duration);
  if (done) done = read(DurationFlags::renew, flags.renew_deadline, options.renew_deadline);
  if (done) done = read(DurationFlags::retry, flags.retry_period, options.retry_period);
  if (done) done = check_election(options);
  return done;
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  DurationFlags durations;
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
  app.add_option(DurationFlags::lease, durations.lease_duration,
                 "A standby takes over when the lock was not renewed for this long")
      ->capture_default_str();
  app.add_option(DurationFlags::renew, durations.renew_deadline,
                 "A leader stops when it could not renew the lock for this long")
      ->capture_default_str();
  app.add_option(DurationFlags::retry, durations.retry_period, "Between two renewals, and after a failed one")
      ->capture_default_str();
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
      DurationFlags::withhold, durations.withhold_grants,
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
    return wrong(error.what());
  }
  if (const auto read_all = read(durations, options); !read_all) return read_all.error();
  if (*manifests) options.task = Task::manifests;
  if (*version) options.task = Task::version;
  return options;
}

}  // namespace konductor::app
