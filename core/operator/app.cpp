#include "operator/app.hpp"

#include "host/manifests.hpp"
#include "host/plugin_registry.hpp"
#include "io/clock.hpp"
#include "io/config_loader.hpp"
#include "io/elector_driver.hpp"
#include "io/environment.hpp"
#include "io/kube_client.hpp"
#include "io/probe_server.hpp"
#include "io/process.hpp"
#include "io/watch_driver.hpp"
#include "operator/kind_runner.hpp"
#include "operator/log.hpp"
#include "operator/metrics.hpp"
#include "operator/watch_trouble.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace konductor::app {
namespace {

namespace asio = boost::asio;

constexpr int wrong_start = 2;
constexpr const char* default_namespace = "konductor-system";
constexpr const char* lock_name = "konductor";

int complain(const Error& error) {
  std::fprintf(stderr, "konductor: %s\n", error.detail.c_str());
  return wrong_start;
}

Result<host::PluginRegistry> load(const Options& options, const io::Environment& environment) {
  const auto folders = host::plugin_folders(
      options.plugin_dirs, environment.variable("KONDUCTOR_PLUGIN_DIR").value_or(""), io::executable_path());
  auto registry = host::load_plugins(folders, io::thread_now);
  if (!registry) return registry;
  for (const auto& refused : registry->refused) spdlog::error("plugin refused: {}", refused.reason);
  if (registry->loaded.empty()) {
    std::string where;
    for (const auto& folder : folders) where += (where.empty() ? "" : ", ") + folder.string();
    return Error{Errc::bad_config,
                 "no plugin could be loaded from " + where + ": give --plugin-dir, or see kondctl plugin list", 0};
  }
  for (const auto& plugin : registry->loaded)
    spdlog::info("plugin {} {} from {}", plugin.declaration.name, plugin.declaration.version, plugin.file);
  return registry;
}

/// Everything of one process, and the order in which it starts and stops.
class App {
 public:
  App(const Options& options, host::PluginRegistry registry)
      : options_(options), registry_(std::move(registry)), pacer_(options.kube_api_qps, options.kube_api_burst) {}

  int run(const io::Environment& environment) {
    auto access = io::load_config({options_.kubeconfig, options_.context}, environment);
    if (!access) return complain(access.error());
    auto client = io::KubeClient::create(context_.get_executor(), *access, environment);
    if (!client) return complain(client.error());
    client_ = std::move(*client);
    spdlog::info("API server {}", client_->origin());
    if (options_.metrics_address != "off") {
      auto probes = io::ProbeServer::listen(context_.get_executor(), options_.metrics_address,
                                            [this](std::string_view path) { return answer(path); });
      if (!probes) return complain(probes.error());
      probes_ = std::move(*probes);
      spdlog::info("metrics and probes on port {}", probes_->port());
    }
    if (options_.leader_elect) {
      // The lock must not wait behind a crowd of grants for one of their connections.
      io::TransportSettings own;
      own.max_connections = 2;
      auto election = io::KubeClient::create(context_.get_executor(), *access, environment, own);
      if (!election) return complain(election.error());
      election_client_ = std::move(*election);
      start_election(*access);
    }
    start_kinds();
    asio::signal_set signals(context_, SIGTERM, SIGINT);
    signals.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) stop();
    });
    context_.run();
    return 0;
  }

 private:
  void start_election(const kube::ClusterAccess& access) {
    runtime::ElectorSettings settings;
    settings.ns = !options_.leader_elect_namespace.empty() ? options_.leader_elect_namespace
                  : !access.ns.empty()                     ? access.ns
                                                           : default_namespace;
    settings.name = lock_name;
    settings.identity = options_.identity.empty() ? io::unique_identity() : options_.identity;
    settings.lease_duration = options_.lease_duration;
    settings.renew_deadline = options_.renew_deadline;
    settings.retry_period = options_.retry_period;
    spdlog::info("{} contends for the lock {}/{}", settings.identity, settings.ns, settings.name);
    const auto changed = [this](bool leading, const std::string& problem) {
      if (!problem.empty()) {
        spdlog::warn("election: {}", problem);
      } else {
        spdlog::info(leading ? "leading" : "not leading: " + elector_->elector().holder() + " leads");
      }
      for (auto& runner : runners_) runner->nudge();
    };
    elector_ = std::make_unique<io::ElectorDriver>(context_.get_executor(), *election_client_, settings, changed);
    asio::co_spawn(context_, elector_->run(), [this](const std::exception_ptr&) {
      if (stopping_) finish();
    });
  }

  void start_kinds() {
    runtime::KindSettings settings;
    settings.withhold_grants = options_.withhold_grants;
    // Each watch is a connection: half of what may be open stays for everything else.
    const auto kinds = std::max<std::size_t>(registry_.kinds().size(), 1);
    settings.watches = static_cast<std::uint32_t>(std::clamp<std::size_t>(io::raise_file_limit() / 2 / kinds, 8, 1000));
    // A request is made of what is known now: about a second's worth of them may wait for their turn, no more. Fewer
    // than four would leave nothing of what is kept free for grants.
    if (options_.kube_api_qps > 0) {
      const auto share = static_cast<std::size_t>(options_.kube_api_qps) / kinds;
      settings.parallel = static_cast<std::uint32_t>(std::clamp<std::size_t>(share, 4, settings.parallel));
    }
    for (auto& kind : registry_.kinds()) {
      runners_.push_back(std::make_unique<KindRunner>(context_.get_executor(), *client_, pacer_, std::move(kind),
                                                      settings, [this] { return may_lead(); }));
      asio::co_spawn(context_, runners_.back()->run(), asio::detached);
    }
    runtime::WatchSettings pods;
    pods.resource = {"", "v1", "pods"};
    pods.field_selector = "status.phase!=Succeeded,status.phase!=Failed";
    pods.metadata_only = true;
    pods_ = std::make_unique<io::WatchDriver>(context_.get_executor(), *client_, pods,
                                              [this](const runtime::ViewEvent& event) {
                                                pods_trouble_.see(event);
                                                for (auto& runner : runners_) runner->on_pod(event);
                                              });
    asio::co_spawn(context_, pods_->run(), asio::detached);
  }

  [[nodiscard]] bool may_lead() const { return !stopping_ && (elector_ == nullptr || elector_->leading()); }

  [[nodiscard]] std::string why_not_ready() const {
    std::string why;
    if (elector_ && !elector_->elector().problem().empty()) why += "election: " + elector_->elector().problem() + "\n";
    if (!pods_trouble_.why().empty()) why += "pods: " + pods_trouble_.why() + "\n";
    for (const auto& runner : runners_) {
      const auto& name = runner->machine().kind().names.singular;
      const auto problem = runner->problem();
      if (!problem.empty()) {
        why += name + ": " + problem + "\n";
      } else if (pods_trouble_.why().empty() && !runner->machine().synced()) {
        why += name + ": not listed yet\n";
      }
    }
    return why;
  }

  [[nodiscard]] io::ProbeAnswer answer(std::string_view path) const {
    if (path == "/healthz") return {200, "ok\n"};
    if (path == "/readyz") {
      const auto why = why_not_ready();
      return why.empty() ? io::ProbeAnswer{200, "ok\n"} : io::ProbeAnswer{503, why};
    }
    if (path != "/metrics") return {404, "not found: there are /healthz, /readyz and /metrics\n"};
    Metrics metrics;
    metrics.leading = may_lead();
    metrics.synced = why_not_ready().empty();
    for (const auto& runner : runners_) {
      const auto& kind = runner->machine().kind();
      metrics.kinds.push_back({kind.names.kind, kind.plugin_name, kind.plugin_version, runner->machine().counters()});
    }
    for (const auto& refused : registry_.refused) metrics.refused_plugins.push_back(refused.file);
    return {200, render(metrics), "text/plain; version=0.0.4; charset=utf-8"};
  }

  void stop() {
    spdlog::info("stopping");
    stopping_ = true;
    for (auto& runner : runners_) runner->stop();
    if (pods_) pods_->stop();
    if (elector_) {
      elector_->stop();  // releases the lock first
    } else {
      finish();
    }
  }

  void finish() {
    client_->close();
    if (election_client_) election_client_->close();
    context_.stop();
  }

  const Options& options_;
  host::PluginRegistry registry_;
  asio::io_context context_{1};
  std::unique_ptr<io::KubeClient> client_;
  std::unique_ptr<io::KubeClient> election_client_;
  std::unique_ptr<io::ElectorDriver> elector_;
  runtime::Pacer pacer_;
  std::vector<std::unique_ptr<KindRunner>> runners_;
  std::unique_ptr<io::WatchDriver> pods_;
  WatchTrouble pods_trouble_;
  std::unique_ptr<io::ProbeServer> probes_;
  bool stopping_ = false;
};

}  // namespace

int run(const Options& options) {
  // Who pipes the manifests somewhere wants to hear of trouble only.
  start_log(options.task == Task::manifests ? "warning" : options.log_level, options.log_format);
  std::signal(SIGPIPE, SIG_IGN);
  const auto environment = io::system_environment();
  auto registry = load(options, environment);
  if (!registry) return complain(registry.error());
  if (options.task == Task::manifests) {
    const auto text = host::manifests(registry->kinds());
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? 0 : 1;
  }
  App app(options, std::move(*registry));
  return app.run(environment);
}

}  // namespace konductor::app
