#include "tests/sim/selector.hpp"

#include <nlohmann/json.hpp>

namespace konductor::sim {
namespace {

const nlohmann::json* at_path(const nlohmann::json& object, std::string_view path) {
  const nlohmann::json* node = &object;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    if (!node->is_object()) return nullptr;
    const auto member = node->find(std::string{path.substr(0, dot)});
    if (member == node->end()) return nullptr;
    node = &*member;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return node;
}

std::string text_of(const nlohmann::json* node) {
  if (node == nullptr || node->is_null()) return {};
  return node->is_string() ? node->get<std::string>() : node->dump();
}

}  // namespace

Selector::Selector(std::string_view text, About about) : about_(about) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view term = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const std::size_t equals = term.find('=');
    if (equals == std::string_view::npos) {
      const bool negated = term.starts_with('!');
      terms_.push_back({std::string{term.substr(negated ? 1 : 0)}, {}, negated ? Relation::missing : Relation::exists});
      continue;
    }
    const bool negated = equals > 0 && term[equals - 1] == '!';
    std::string_view value = term.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    const Relation relation = negated ? Relation::not_equal : Relation::equal;
    terms_.push_back({std::string{term.substr(0, negated ? equals - 1 : equals)}, std::string{value}, relation});
  }
}

bool Selector::matches(const nlohmann::json& object) const {
  for (const Term& term : terms_) {
    const nlohmann::json* node = nullptr;
    if (about_ == About::fields) {
      node = at_path(object, term.key);
    } else if (const nlohmann::json* labels = at_path(object, "metadata.labels"); labels != nullptr) {
      const auto label = labels->find(term.key);
      if (label != labels->end()) node = &*label;
    }
    const bool equal = text_of(node) == term.value && (about_ == About::fields || node != nullptr);
    const bool fits = term.relation == Relation::equal       ? equal
                      : term.relation == Relation::not_equal ? !equal
                                                             : (node != nullptr) == (term.relation == Relation::exists);
    if (!fits) return false;
  }
  return true;
}

std::vector<std::string> Selector::keys() const {
  std::vector<std::string> keys;
  for (const Term& term : terms_) keys.push_back(term.key);
  return keys;
}

}  // namespace konductor::sim
