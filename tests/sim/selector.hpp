#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace konductor::sim {

/// A label or field selector of equalities: "a=b,c!=d", and "e" or "!e" for labels.
class Selector {
 public:
  enum class About { fields, labels };
  Selector() = default;
  Selector(std::string_view text, About about);

  [[nodiscard]] bool matches(const nlohmann::json& object) const;
  /// The paths or keys that it names.
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  enum class Relation { equal, not_equal, exists, missing };
  struct Term {
    std::string key;
    std::string value;
    Relation relation = Relation::equal;
  };
  std::vector<Term> terms_;
  About about_ = About::fields;
};

}  // namespace konductor::sim
