#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Objects of an invented kind: tickets ask for units of a widget, which serves them in their order up to its limit.
namespace konductor::test {

/// Strict order: the first ticket that does not fit stops those behind it. A negative limit is an error; a limit of -99
/// breaks the plugin's contract.
runtime::KindDeclaration widgets();

/// The same words for a kind that counts: a widget opens, for good, when so many persons have tickets as its limit
/// says; with a `deadline` (microseconds) in its spec it fails then, for good, and with a `patience` that long after
/// the first ticket. Tickets of 13 units are denied; those of 9 are discarded once it is open.
runtime::KindDeclaration counting_widgets();

struct Widget {
  std::string name = "w";
  std::string uid = "w-1";
  std::uint64_t rv = 100;
  std::int64_t created_s = 1000;
  std::int64_t limit = 1;
  std::string ttl = {};
  nlohmann::json status = {};
  bool deleting = false;

  [[nodiscard]] nlohmann::json object() const;
};

struct Ticket {
  std::string name = "a";
  std::string uid = {};  // empty: "uid-NAME"
  std::uint64_t rv = 105;
  std::int64_t created_s = 2000;
  std::string widget = "w";
  std::int64_t units = 1;
  std::int64_t priority = 0;
  bool wait = true;
  std::string pod = {};  // UID; the Pod's name is "pod-UID"
  std::string ttl = {};
  std::string renewed = {};
  nlohmann::json status = {};
  bool deleting = false;

  [[nodiscard]] nlohmann::json object() const;
};

/// The status of a ticket that holds.
nlohmann::json granted(std::int64_t token, std::int64_t units = 1, const std::string& ttl = "10m");

struct Pending {
  std::string name = {};
  std::int64_t token = 0;
  std::string rv = "105";
  std::int64_t units = 1;
};
nlohmann::json ledger(std::int64_t last_token, const std::string& seen, const std::vector<Pending>& pending = {});

nlohmann::json pod(const std::string& uid, std::uint64_t rv, const std::string& phase = {});

/// `object` after the merge patch `body`, at a new resourceVersion: what a server answers.
nlohmann::json patched(nlohmann::json object, const std::string& body, std::uint64_t rv);

}  // namespace konductor::test
