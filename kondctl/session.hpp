#pragma once

#include "base/error.hpp"
#include "io/kube_client.hpp"
#include "kondctl/console.hpp"
#include "kondctl/identity.hpp"
#include "kondctl/options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace konductor::kondctl {

/// What an action works with: the command line, the API server, who we are.
class Session {
 public:
  enum class Asks { the_user, nothing };
  /// Finds the cluster and reads its credentials; connects to nothing yet. All arguments must outlive the session.
  /// `asks`: whether a credential plugin may talk to who sits at the terminal.
  static Result<std::unique_ptr<Session>> open(const Invocation& invocation, Console& console,
                                               runtime::MonoTime started, Asks asks = Asks::the_user);

  /// Waits for one answer, classified. Errors start with `doing`. While the server can't be reached it tries again
  /// until `until`.
  Result<nlohmann::json> ask(const kube::Request& request, const std::string& doing, runtime::MonoTime until);
  /// Every object of a list, page by page.
  Result<std::vector<nlohmann::json>> list(const kube::Resource& resource, const std::string& ns,
                                           const std::string& field_selector, runtime::MonoTime until);

  /// Who asks. Fails where the environment contradicts itself.
  Result<Identity> identity() const;
  /// Where objects are, if nothing else is said: -n, else the Pod's, else the kubeconfig's.
  [[nodiscard]] const std::string& ns() const { return ns_; }

  const Invocation& invocation;
  Console& console;
  const runtime::MonoTime started;
  boost::asio::io_context io{1};
  std::unique_ptr<io::KubeClient> client;

 private:
  Session(const Invocation& command, Console& words, runtime::MonoTime start)
      : invocation(command), console(words), started(start) {}

  Surroundings surroundings_;
  std::string ns_;
};

}  // namespace konductor::kondctl
