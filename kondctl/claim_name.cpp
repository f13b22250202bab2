#include "kondctl/claim_name.hpp"

#include <array>
#include <cstddef>

namespace konductor::kondctl {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t label_limit = 63;  // RFC 1123
constexpr std::size_t hash_digits = 20;

std::string hex(Wide value, std::size_t digits) {
  constexpr std::string_view alphabet = "0123456789abcdef";
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value >>= 4U) text[i - 1] = alphabet[static_cast<std::size_t>(value & 15U)];
  return text;
}

// FNV-1a, 128 bits. Not against attackers: who may create claims in this namespace may do so under any name.
class Fnv {
 public:
  // The length goes in first, so that ("ab", "c") and ("a", "bc") differ.
  void add(std::string_view text) {
    for (std::size_t rest = text.size(), i = 0; i < 8; ++i, rest >>= 8U) byte(static_cast<unsigned char>(rest & 255U));
    for (const char c : text) byte(static_cast<unsigned char>(c));
  }

  [[nodiscard]] Wide folded() const { return (state_ >> 80U) ^ (state_ & ((Wide{1} << 80U) - 1U)); }

 private:
  void byte(unsigned char value) {
    state_ ^= value;
    state_ *= (Wide{1} << 88U) + 0x13bU;
  }

  Wide state_ = (Wide{0x6c62272e07bb0142U} << 64U) + 0x62b821756295c58dU;
};

}  // namespace

std::string claim_name(const ClaimKey& key) {
  Fnv hash;
  for (const std::string_view part :
       std::array<std::string_view, 4>{key.holder, key.primitive.ns, key.primitive.name, key.slot}) {
    hash.add(part);
  }
  std::string prefix = key.primitive.name.substr(0, label_limit - 1 - hash_digits);
  while (!prefix.empty() && prefix.back() == '-') prefix.pop_back();
  if (!prefix.empty()) prefix += '-';
  return prefix + hex(hash.folded(), hash_digits);
}

std::string random_slot(std::uint64_t random) {
  return hex(random, 16);
}

}  // namespace konductor::kondctl
