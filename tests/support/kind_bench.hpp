#pragma once

#include "runtime/kind_machine.hpp"
#include "tests/support/objects.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace konductor::test {

/// A KindMachine on a table: a test plays watch, server and clock by hand, one step at a time.
class KindBench {
 public:
  struct Start {
    std::vector<nlohmann::json> widgets = {};
    std::vector<nlohmann::json> tickets = {};
    std::vector<std::string> pods = {};  // UIDs
    std::uint64_t rv = 110;              // of the lists
  };

  explicit KindBench(runtime::KindDeclaration kind = widgets(), runtime::KindSettings settings = {});

  /// Lists everything and makes it the leader.
  void start(const Start& start);
  void list_tickets(const std::vector<nlohmann::json>& tickets, std::uint64_t rv);

  // The watches.
  void ticket(const nlohmann::json& object);
  void ticket_gone(const nlohmann::json& object, std::uint64_t rv);
  void tickets_until(std::uint64_t rv);
  void widget(const nlohmann::json& object);
  void widget_gone(const nlohmann::json& object);
  void pod_gone(const std::string& uid, std::uint64_t rv);
  void observed(const runtime::WatchTarget& target, const std::vector<nlohmann::json>& objects);

  // The server.
  void answer(const runtime::Outgoing& to, const nlohmann::json& object);
  void refuse(const runtime::Outgoing& to, int status, const std::string& reason, const std::string& message = "no");
  /// 429 with Retry-After.
  void throttle(const runtime::Outgoing& to, int retry_after_s);
  void conflict(const runtime::Outgoing& to) { refuse(to, 409, "Conflict"); }
  void not_found(const runtime::Outgoing& to) { refuse(to, 404, "NotFound"); }
  /// Executed or not: nobody knows.
  void lose(const runtime::Outgoing& to);

  /// What it sends now. Events are set aside and answered: they are best effort and change nothing.
  std::vector<runtime::Outgoing> work();
  /// The one request that it sends now; a failure and an empty one where it sends none or more.
  runtime::Outgoing only();
  void pass(runtime::Duration time);
  /// Lets time pass and wakes it when it wants, until it sends something or `most` has passed.
  std::vector<runtime::Outgoing> work_within(runtime::Duration most);

  runtime::KindMachine machine;
  std::vector<std::string> events;  // "Widget/w Warning Reason: message", as they were written
  runtime::Now now{runtime::MonoTime{std::chrono::seconds{50}}, runtime::WallTime{std::chrono::seconds{3000}}};
};

/// "PATCH widgets/w/status", "GET pods/pod-p1", "LIST tickets": what a request is about.
std::string about(const runtime::Outgoing& out);
std::vector<std::string> about(const std::vector<runtime::Outgoing>& out);
nlohmann::json body(const runtime::Outgoing& out);
/// The names in status.ledger.pending of a record.
std::vector<std::string> pending_of(const runtime::Outgoing& out);

}  // namespace konductor::test
