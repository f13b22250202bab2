#include "runtime/watch_machine.hpp"

#include "kube/json_fields.hpp"
#include "kube/resource_version.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace konductor::runtime {
namespace {

/// A stream that lasted so long was a working one, even if nothing happened.
constexpr Duration proven = std::chrono::seconds{10};

ViewEvent view_event(ViewEvent::Kind kind, std::shared_ptr<const nlohmann::json> object, std::string version) {
  return {.kind = kind, .object = std::move(object), .resource_version = std::move(version), .message = {}};
}

ViewEvent view_event_of(kube::WatchEvent&& event) {
  ViewEvent::Kind kind = ViewEvent::Kind::apply;
  if (event.type == kube::WatchEventType::deleted) kind = ViewEvent::Kind::remove;
  if (event.type == kube::WatchEventType::bookmark)
    return view_event(ViewEvent::Kind::progress, nullptr, event.resource_version);
  return view_event(kind, std::move(event.object), std::move(event.resource_version));
}

const std::string& version_of(const nlohmann::json& object) noexcept {
  return kube::text_at(object, "metadata.resourceVersion");
}

Error violation(std::string why) {
  return {Errc::protocol_violation, std::move(why)};
}

}  // namespace

WatchMachine::WatchMachine(WatchSettings settings)
    : settings_(std::move(settings)), backoff_(settings_.retry_first, settings_.retry_most) {}

WatchMachine::Step WatchMachine::resume(const Event& event, MonoTime now, double jitter) {
  const Moment moment{now, jitter};
  return std::visit([&](const auto& occurred) { return on(occurred, moment); }, event);
}

void WatchMachine::relist() {
  relist_asked_ = true;
  list_next_ = true;
}

WatchMachine::Step WatchMachine::on(const Started&, const Moment& moment) {
  return state_ == State::start ? send_list() : out_of_turn("a start", moment);
}

WatchMachine::Step WatchMachine::on(const ListAnswered& event, const Moment& moment) {
  if (state_ != State::listing) return out_of_turn("the answer to a list", moment);
  if (!event.answer) {
    Error error = event.answer.error();
    error.detail = doing("list") + ": " + error.detail;
    return list_failed(error, moment);
  }
  const Result<nlohmann::json> page = kube::classify(*event.answer, doing("list"));
  if (!page) return list_failed(page.error(), moment);
  // What was asked for in the meantime must have been read after it was asked for.
  if (relist_asked_) return send_list();
  if (std::optional<Error> problem = take_page(*page)) return list_failed(*problem, moment);
  if (!continue_token_.empty()) return next_page();
  std::vector<ViewEvent> deltas = finish_list();
  return {open_watch().action, std::move(deltas)};
}

WatchMachine::Step WatchMachine::on(const StreamOpened&, const Moment& moment) {
  if (state_ != State::watching) return out_of_turn("an opened stream", moment);
  stream_opened_ = moment.now;
  if (list_next_) return send_list();
  Step step{KeepReading{}, {}};
  // Where all is quiet, it would be a minute until the consumer hears that it goes on.
  if (std::exchange(failed_, false)) {
    step.deltas.push_back(view_event(ViewEvent::Kind::progress, nullptr, resource_version_));
  }
  return step;
}

WatchMachine::Step WatchMachine::on(const StreamRefused& event, const Moment& moment) {
  if (state_ != State::watching) return out_of_turn("a refused stream", moment);
  const Result<nlohmann::json> answer = kube::classify(event.answer, doing("watch"));
  if (!answer) {
    const Errc code = answer.error().code;
    // A resourceVersion that the server does not take, or takes for one of the future, is left behind by a list.
    if (code == Errc::invalid || (code == Errc::unavailable && std::exchange(broken_once_, true))) list_next_ = true;
    return stream_failed(answer.error(), moment);
  }
  return stream_failed(violation(doing("watch") + ": the server answered with something that is no stream"), moment);
}

WatchMachine::Step WatchMachine::on(const Line& event, const Moment& moment) {
  if (state_ != State::watching) return out_of_turn("a line", moment);
  Result<kube::WatchEvent> parsed = kube::parse_watch_line(event.text);
  if (!parsed) {
    Error error = parsed.error();
    error.detail = doing("watch") + ": " + error.detail;
    // A server that stumbles over the same event again and again is got past by a list.
    list_next_ = list_next_ || std::exchange(broken_once_, true);
    return stream_failed(error, moment);
  }
  if (std::optional<Error> problem = check_version(parsed->resource_version)) {
    return stream_failed(*problem, moment);
  }
  resource_version_ = parsed->resource_version;
  stream_was_good_ = true;
  expired_once_ = false;
  broken_once_ = false;
  backoff_.reset();
  Step step = list_next_ ? send_list() : Step{KeepReading{}, {}};
  step.deltas.push_back(view_event_of(std::move(*parsed)));
  return step;
}

WatchMachine::Step WatchMachine::on(const StreamEnded& event, const Moment& moment) {
  if (state_ != State::watching) return out_of_turn("the end of a stream", moment);
  const bool lasted = stream_opened_ && moment.now - *stream_opened_ >= proven;
  if (lasted) backoff_.reset();
  if (event.error) {
    Error error = *event.error;
    error.detail = doing("watch") + ": " + error.detail;
    return stream_failed(error, moment);
  }
  if (list_next_ || lasted || stream_was_good_) return go_on();
  return stream_failed({Errc::unavailable, doing("watch") + ": the server ended the stream at once"}, moment);
}

WatchMachine::Step WatchMachine::on(const IdleTimeout&, const Moment& moment) {
  if (state_ != State::watching) return out_of_turn("a time-out", moment);
  backoff_.reset();
  return stream_failed({Errc::timeout, doing("watch") + ": the server was silent for too long"}, moment);
}

WatchMachine::Step WatchMachine::on(const WaitOver&, const Moment& moment) {
  return state_ == State::waiting ? go_on() : out_of_turn("the end of a wait", moment);
}

WatchMachine::Step WatchMachine::go_on() {
  return list_next_ ? send_list() : open_watch();
}

/// The first page of a list; what was read of another is dropped.
WatchMachine::Step WatchMachine::send_list() {
  pages_.clear();
  list_version_.clear();
  continue_token_.clear();
  relist_asked_ = false;
  list_next_ = true;
  return next_page();
}

WatchMachine::Step WatchMachine::next_page() {
  state_ = State::listing;
  kube::ListOptions options;
  options.field_selector = settings_.field_selector;
  options.label_selector = settings_.label_selector;
  options.limit = settings_.page;
  options.continue_token = continue_token_;
  options.metadata_only = settings_.metadata_only;
  return {SendList{kube::list(settings_.resource, settings_.ns, options)}, {}};
}

WatchMachine::Step WatchMachine::open_watch() {
  state_ = State::watching;
  stream_was_good_ = false;
  stream_opened_.reset();
  kube::WatchOptions options;
  options.field_selector = settings_.field_selector;
  options.label_selector = settings_.label_selector;
  options.resource_version = resource_version_;
  options.timeout_s = settings_.timeout_s;
  options.metadata_only = settings_.metadata_only;
  return {OpenWatch{kube::watch(settings_.resource, settings_.ns, options),
                    std::chrono::seconds{settings_.timeout_s} + settings_.idle_slack},
          {}};
}

/// Keeps the objects of one page, or says why the page cannot be trusted: a list that was not understood must never
/// count as an empty one.
std::optional<Error> WatchMachine::take_page(const nlohmann::json& page) {
  const std::string& version = version_of(page);
  if (version.empty()) return violation(doing("list") + ": the answer has no resourceVersion");
  const auto items = page.find("items");
  if (items == page.end() || !(items->is_array() || items->is_null())) {
    return violation(doing("list") + ": the answer has no items");
  }
  for (const nlohmann::json& item : *items) {
    if (!item.is_object()) return violation(doing("list") + ": an item of the answer is no object");
    pages_.push_back(
        view_event(ViewEvent::Kind::apply, std::make_shared<const nlohmann::json>(item), version_of(item)));
  }
  const std::string_view next = kube::text_at(page, "metadata.continue");
  if (!next.empty() && next == continue_token_) {
    return violation(doing("list") + ": the server gave the same continue token twice");
  }
  // All pages show the state of the first.
  if (list_version_.empty()) list_version_ = version;
  continue_token_ = next;
  return std::nullopt;
}

std::vector<ViewEvent> WatchMachine::finish_list() {
  std::vector<ViewEvent> deltas;
  deltas.reserve(pages_.size() + 2);
  deltas.push_back(view_event(ViewEvent::Kind::begin, nullptr, {}));
  for (ViewEvent& delta : pages_) deltas.push_back(std::move(delta));
  deltas.push_back(view_event(ViewEvent::Kind::synced, nullptr, list_version_));
  pages_.clear();
  resource_version_ = std::move(list_version_);
  list_next_ = false;
  failed_ = false;
  return deltas;
}

/// Versions of events are decimal and never go back. Where they do, etcd was restored from a backup or somebody else
/// answers, and what this stream tells cannot be joined to what is known.
std::optional<Error> WatchMachine::check_version(const std::string& version) const {
  const auto number = kube::parse_resource_version(version);
  if (!number) {
    return violation(doing("watch") + ": an event has the resourceVersion " + kube::quoted(version) +
                     ", which is no decimal integer");
  }
  const auto known = kube::parse_resource_version(resource_version_);
  if (known && *number < *known) {
    return violation(doing("watch") + ": the resourceVersion went back from " + resource_version_ + " to " + version);
  }
  return std::nullopt;
}

WatchMachine::Step WatchMachine::list_failed(const Error& error, const Moment& moment) {
  list_next_ = true;
  // The continue token is too old: start over, with a fresh one.
  if (error.code == Errc::expired && !std::exchange(expired_once_, true)) return send_list();
  return back_off(error, moment);
}

WatchMachine::Step WatchMachine::stream_failed(const Error& error, const Moment& moment) {
  // Who may not look (or no longer) may have missed anything when it is let in again.
  const bool lists = error.code == Errc::forbidden || error.code == Errc::expired ||
                     error.code == Errc::protocol_violation || error.code == Errc::not_installed;
  list_next_ = list_next_ || lists;
  if (error.code == Errc::expired && !std::exchange(expired_once_, true)) return send_list();
  return back_off(error, moment);
}

WatchMachine::Step WatchMachine::back_off(const Error& error, const Moment& moment) {
  state_ = State::waiting;
  pages_.clear();
  ViewEvent failed;
  failed.kind = ViewEvent::Kind::failed;
  failed.message = error.detail;
  failed.code = error.code;
  failed_ = true;
  return {Wait{backoff_.next(moment.jitter, requested_pause(error.retry_after_s))}, {std::move(failed)}};
}

/// The driver broke its contract. Nothing is assumed about what was missed.
WatchMachine::Step WatchMachine::out_of_turn(std::string_view event, const Moment& moment) {
  list_next_ = true;
  return back_off(violation(doing("watch") + ": " + std::string(event) + " came out of turn"), moment);
}

std::string WatchMachine::doing(std::string_view verb) const {
  std::string text = std::string(verb) + ' ' + kube::to_string(settings_.resource);
  if (!settings_.ns.empty()) text += " in namespace " + settings_.ns;
  return text;
}

}  // namespace konductor::runtime
