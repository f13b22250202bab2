#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/follow.hpp"
#include "kondctl/actions/following.hpp"
#include "kondctl/actions/showing.hpp"
#include "kube/json_fields.hpp"

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;
using runtime::ViewEvent;

constexpr std::chrono::milliseconds quiet_time{200};  // changes that come together are shown together

class FollowedObject {
 public:
  explicit FollowedObject(Session& session)
      : session_(session),
        kind_(*session.invocation.kind),
        claims_known_(kind_.claim.plural.empty()),
        timer_(session.io),
        following_(
            session, sources(), [this](std::size_t source, const ViewEvent& event) { hear(source, event); },
            [this](std::size_t source, const Error& error) { return refused(source, error); }) {}

  ExitCode run() { return following_.run(); }

 private:
  static constexpr std::size_t of_object = 0;

  std::vector<Following::Source> sources() {
    const std::string& name = session_.invocation.name;
    std::vector<Following::Source> sources{{kind_.primitive_resource(), session_.ns(), "metadata.name=" + name}};
    if (!claims_known_) {
      sources.push_back({kind_.claim_resource(), session_.ns(), "spec." + kind_.primitive_field + "=" + name});
    }
    return sources;
  }

  bool refused(std::size_t source, const Error& error) {
    if (source == of_object || error.code != Errc::forbidden) {
      report(session_.console, error);
      return false;
    }
    session_.console.note(hidden(kind_, error));
    hidden_ = claims_known_ = true;
    show_soon();
    return true;
  }

  void hear(std::size_t source, const ViewEvent& event) {
    if (source == of_object) {
      hear_object(event);
    } else {
      hear_claim(event);
    }
  }

  void hear_object(const ViewEvent& event) {
    switch (event.kind) {
      case ViewEvent::Kind::begin: listed_ = false; break;
      case ViewEvent::Kind::apply:
        listed_ = true;
        if (object_ && text_at(*object_, "metadata.uid") != text_at(*event.object, "metadata.uid")) return gone();
        if (object_ && version_of(*object_) == version_of(*event.object)) break;
        object_ = event.object;
        show_soon();
        break;
      case ViewEvent::Kind::remove: return gone();
      case ViewEvent::Kind::synced:
        if (!listed_) return gone();
        break;
      default: break;
    }
  }

  void hear_claim(const ViewEvent& event) {
    switch (event.kind) {
      case ViewEvent::Kind::begin: listed_claims_.clear(); break;
      case ViewEvent::Kind::apply: {
        const std::string& name = text_at(*event.object, "metadata.name");
        listed_claims_.insert(name);
        auto& known = claims_[name];
        const bool same = known && version_of(*known) == version_of(*event.object);
        known = event.object;
        if (!same) show_soon();
        break;
      }
      case ViewEvent::Kind::remove:
        if (claims_.erase(text_at(*event.object, "metadata.name")) > 0) show_soon();
        break;
      case ViewEvent::Kind::synced: {
        const auto left =
            std::erase_if(claims_, [this](const auto& one) { return !listed_claims_.contains(one.first); });
        if (left > 0 || !claims_known_) show_soon();
        claims_known_ = true;
        break;
      }
      default: break;
    }
  }

  static const std::string& version_of(const json& object) { return text_at(object, "metadata.resourceVersion"); }

  void gone() {
    const std::string name = kube::to_string(kube::NamespacedName{session_.ns(), session_.invocation.name});
    session_.console.error(object_ ? kind_.names.singular + " " + name + " was deleted"
                                   : "there is no " + kind_.names.singular + " " + name);
    following_.stop(ExitCode::no_such_object);
  }

  void show_soon() {
    if (waiting_) return;
    waiting_ = true;
    timer_.expires_after(quiet_time);
    timer_.async_wait([this](const boost::system::error_code& error) {
      waiting_ = false;
      if (!error) show();
    });
  }

  void show() {
    if (!object_ || !claims_known_) return;
    const GlobalOptions& options = session_.invocation.global;
    if (options.output == Format::name) {
      return session_.console.print(resource_line(kind_.names.singular, session_.invocation.name));
    }
    const kube::WallTime now = session_.client->server_now();
    ObjectClaims claims;
    if (!hidden_ && !kind_.claim.plural.empty()) {
      std::vector<json> objects;
      objects.reserve(claims_.size());
      for (const auto& [name, claim] : claims_) objects.push_back(*claim);
      claims = claims_of(std::move(objects), kind_, *object_, now);
    }
    std::string text = shown(*object_, claims, kind_, options, now);
    if (options.output == Format::yaml) text = "---\n" + text;
    const bool table = options.output == Format::table || options.output == Format::wide;
    session_.console.print((table && shown_before_ ? "\n" : "") + text);
    shown_before_ = true;
  }

  Session& session_;
  const runtime::KindDeclaration& kind_;
  std::shared_ptr<const json> object_;
  std::map<std::string, std::shared_ptr<const json>> claims_;
  std::set<std::string> listed_claims_;  // since the last list began
  bool listed_ = false;
  bool claims_known_ = false;
  bool hidden_ = false;
  bool waiting_ = false;
  bool shown_before_ = false;
  boost::asio::steady_timer timer_;
  Following following_;
};

}  // namespace

ExitCode follow_object(Session& session) {
  return FollowedObject(session).run();
}

}  // namespace konductor::kondctl
