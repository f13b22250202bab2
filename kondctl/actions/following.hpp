#pragma once

#include "io/watch_driver.hpp"
#include "kondctl/exit_codes.hpp"
#include "kondctl/session.hpp"
#include "kube/resource.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace konductor::kondctl {

/// What --watch does: keeps views of some resources true, whatever happens to connections and servers, until stop() or
/// a signal.
class Following {
 public:
  struct Source {
    kube::Resource resource;
    std::string ns;  // empty: all namespaces
    std::string field_selector;
  };
  /// The source by its index. Failures do not come here.
  using Consumer = std::function<void(std::size_t, const runtime::ViewEvent&)>;
  /// A source that can't be read, such as a forbidden one; nothing more comes of it. True: the others go on. One that
  /// could be read before is tried again: a server that starts says such things too.
  using Refused = std::function<bool(std::size_t, const Error&)>;

  /// The session must outlive it.
  Following(Session& session, std::vector<Source> sources, Consumer consumer, Refused refused);

  /// Once.
  ExitCode run();
  void stop(ExitCode code);

 private:
  void hear(std::size_t source, const runtime::ViewEvent& event);
  void fail(std::size_t source, const runtime::ViewEvent& event);

  Session& session_;
  Consumer consumer_;
  Refused refused_;
  std::vector<std::unique_ptr<io::WatchDriver>> drivers_;
  struct State {
    bool known = false;    // it has been read completely
    bool listing = false;  // between begin and synced
    std::string trouble;   // as last told, while nothing good has come since
  };
  std::vector<State> states_;
  std::size_t running_ = 0;
  bool stopped_ = false;
  ExitCode code_ = ExitCode::done;
};

}  // namespace konductor::kondctl
