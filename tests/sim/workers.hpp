#pragma once

#include "runtime/kind.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>

namespace konductor::sim {

/// Those who come to a primitive that counts participants. Each is of one of these: an index of one of two Jobs, a Job
/// of its own, or named by itself.
class Workers {
 public:
  Workers(World& world, const runtime::KindDeclaration& kind, std::string ns);

  /// The Jobs of so many.
  void hire(int participants);
  /// Who that is, in truth.
  [[nodiscard]] std::string truth_of(int participant) const;
  /// He comes in a Pod of this name, with a claim of the same name; `spec` is what else that says.
  void arrive(int participant, const std::string& name, const nlohmann::json& primitive, nlohmann::json spec);
  /// That Pod fails, and may go.
  void fail(const std::string& pod);
  void remove(const std::string& pod);
  /// Whether its claim shows who it was: after its Pod has gone nobody could tell any more.
  [[nodiscard]] bool is_known(const std::string& pod) const;

 private:
  World& world_;
  const runtime::KindDeclaration& kind_;
  std::string ns_;
  std::map<std::string, std::string> job_uid_;  // by name
};

}  // namespace konductor::sim
