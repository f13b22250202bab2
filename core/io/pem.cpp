#include "io/pem.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace konductor::io {

namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view dashes = "-----";
constexpr std::size_t most_named = 5;
constexpr std::size_t longest_label = 40;  // that is shown

struct Block {
  std::string_view label;
  bool closed = false;
  bool encrypted = false;
};

std::vector<Block> blocks_of(std::string_view text) {
  std::vector<Block> blocks;
  for (auto at = text.find(begin_mark); at != std::string_view::npos; at = text.find(begin_mark)) {
    text.remove_prefix(at + begin_mark.size());
    Block block;
    block.label = text.substr(0, std::min(text.find(dashes), text.find('\n')));
    const std::string_view inside = text.substr(0, text.find(begin_mark));
    block.closed = inside.find(std::string(end_mark).append(block.label).append(dashes)) != std::string_view::npos;
    block.encrypted = block.label.starts_with("ENCRYPTED") || inside.find("ENCRYPTED") != std::string_view::npos;
    blocks.push_back(block);
  }
  return blocks;
}

bool is_certificate(std::string_view label) {
  constexpr std::array<std::string_view, 3> labels{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"};
  return std::ranges::find(labels, label) != labels.end();
}

}  // namespace

std::string pem_blocks(std::string_view text) {
  std::string names;
  std::size_t named = 0;
  const auto blocks = blocks_of(text);
  for (std::size_t i = 0; i < blocks.size();) {
    std::size_t next = i;
    while (next < blocks.size() && blocks[next].label == blocks[i].label) ++next;
    if (named++ == most_named) return names + ", ...";
    names += names.empty() ? "" : ", ";
    if (next - i > 1) names += std::to_string(next - i) + " x ";
    names += kube::one_line(blocks[i].label, longest_label);
    i = next;
  }
  return names;
}

std::string why_no_pem(std::string_view text, PemUse use) {
  const bool wants_key = use == PemUse::key;
  const std::string needed =
      wants_key ? "an unencrypted PRIVATE KEY in PEM form is needed" : "a CERTIFICATE in PEM form is needed";
  const auto blocks = blocks_of(text);
  if (blocks.empty()) {
    return std::to_string(text.size()) + " bytes without a -----BEGIN line were found; " + needed;
  }
  const auto fits = std::ranges::find_if(blocks, [wants_key](const Block& block) {
    return wants_key ? block.label.ends_with("PRIVATE KEY") : is_certificate(block.label);
  });
  if (fits == blocks.end()) return pem_blocks(text) + " was found; " + needed;
  if (wants_key && fits->encrypted) return "an encrypted private key was found; " + needed;
  if (!fits->closed) {
    return "a -----BEGIN " + kube::one_line(fits->label, longest_label) +
           "----- without its -----END was found: it is cut short";
  }
  return {};
}

}  // namespace konductor::io
