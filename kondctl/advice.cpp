#include "kondctl/advice.hpp"

namespace konductor::kondctl {

std::string sentence_for(const Error& error) {
  std::string text = error.detail.empty() ? std::string(to_string(error.code)) : error.detail;
  if (error.code == Errc::not_installed) {
    text += ": to install the CRDs of Konductor run `konductor manifests | kubectl apply --server-side -f -`";
  }
  return text;
}

}  // namespace konductor::kondctl
