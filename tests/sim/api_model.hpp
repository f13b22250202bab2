#pragma once

#include "kube/request.hpp"
#include "kube/response.hpp"
#include "kube/time.hpp"
#include "tests/sim/selector.hpp"
#include "tests/sim/target.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace konductor::sim {

using ObjectPtr = std::shared_ptr<const nlohmann::json>;

/// Stands for a CEL rule at the root of a CRD's schema: says why an update is refused, or nothing.
using UpdateRule = std::function<std::string(const nlohmann::json& before, const nlohmann::json& after)>;

struct ServedResource {
  kube::Resource resource;
  std::string kind;
  bool namespaced = true;
  bool status_subresource = false;
  std::vector<std::string> selectable;  // besides metadata.name and metadata.namespace
  std::vector<UpdateRule> rules;
};

/// One write that was made. `before` is null for a create, `after` for a delete.
struct Commit {
  kube::Resource resource;
  kube::NamespacedName object;
  ObjectPtr before;
  ObjectPtr after;
  std::uint64_t revision = 0;
  kube::WallTime when;
  std::string actor;  // who sent the request, as given to handle()
  std::chrono::microseconds elapsed{0};
};

/// What a selector makes of a commit: an object that stops matching is deleted for whoever watches with it.
enum class Seen { nothing, added, modified, deleted };
Seen seen_through(const Selector& selector, const Commit& commit);

/// A watch that was opened, and how far it was read.
struct WatchCursor {
  kube::Resource resource;
  std::string ns;
  Selector fields;
  Selector labels;
  std::uint64_t revision = 0;
  kube::WallTime end;
  bool bookmarks = false;
  bool metadata_only = false;
  std::vector<ObjectPtr> first;  // what was there at the start, where no resourceVersion was given
  std::size_t read = 0;          // of the log
};

/// A model of the Kubernetes API server over request and response values. One revision counter for everything, as etcd
/// has it; time is what set_time() says. tests/sim/differential_test holds it against the real one.
class ApiModel {
 public:
  void serve(ServedResource served);
  void set_time(kube::WallTime now) { set_time(now, now.time_since_epoch()); }
  /// `elapsed` goes on evenly, also where the clock jumps.
  void set_time(kube::WallTime now, std::chrono::microseconds elapsed) {
    now_ = now;
    elapsed_ = elapsed;
  }
  /// Called after each write, in the order of revisions.
  void observe(std::function<void(const Commit&)> observer) { observers_.push_back(std::move(observer)); }

  kube::Response handle(const kube::Request& request, const std::string& actor = {});

  /// 200 and a cursor, or the refusal.
  kube::Response open_watch(const kube::Request& request, WatchCursor& cursor);
  /// The lines since the last read, with a bookmark at the end if wanted. Empty and `ended` once its time is over.
  std::string read_watch(WatchCursor& cursor, bool bookmark, bool& ended);
  /// Forgets history up to `revision`: watches from before it and unfinished pages are 410 Gone.
  void compact(std::uint64_t revision);
  /// One pass of the garbage collector: deletes what has owners of which none exists. The number deleted.
  int collect_garbage();

  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] std::uint64_t compacted() const { return compacted_; }
  [[nodiscard]] std::vector<ObjectPtr> objects(const kube::Resource& resource) const;
  [[nodiscard]] ObjectPtr find(const kube::Resource& resource, const kube::NamespacedName& object) const;
  /// All writes to one resource since the start.
  [[nodiscard]] const std::vector<Commit>& log(const kube::Resource& resource) const;

 private:
  struct Store {
    ServedResource served;
    std::map<kube::NamespacedName, ObjectPtr> objects;
    std::vector<Commit> log;
  };
  struct Page {
    std::vector<ObjectPtr> rest;
    std::uint64_t revision = 0;
  };
  struct Call {
    const kube::Request& request;
    const Target& target;
    Store& store;
    const std::string& actor;
  };

  Store* store_of(const Target& target);
  kube::Response route(const Target& target, const kube::Request& request, const std::string& actor);
  kube::Response get(const Call& call) const;
  kube::Response list(const Call& call);
  kube::Response create(const Call& call);
  kube::Response patch(const Call& call);
  kube::Response remove(const Call& call);
  void commit(Store& store, const kube::NamespacedName& name, nlohmann::json after, const std::string& actor);
  void erase(Store& store, const kube::NamespacedName& name, const std::string& actor);
  void publish(Store& store, Commit commit);

  std::map<kube::Resource, Store> stores_;
  std::map<std::string, Page> pages_;
  std::vector<std::function<void(const Commit&)>> observers_;
  std::uint64_t revision_ = 100;
  std::uint64_t compacted_ = 0;
  std::uint64_t uids_ = 0;
  std::uint64_t page_tokens_ = 0;
  kube::WallTime now_;
  std::chrono::microseconds elapsed_{0};
};

}  // namespace konductor::sim
