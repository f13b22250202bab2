#include "kondctl/advice.hpp"

namespace konductor::kondctl {

std::string sentence_for(const Error& error) {
  std::string text = error.detail.empty() ? std::string(to_string(error.code)) : error.detail;
  if (error.code == Errc::not_installed) {
    text += ": to install the CRDs of Konductor run `konductor manifests | kubectl apply --server-side -f -`";
  }
  return text;
}

std::string release_command(const runtime::KindDeclaration& kind, const kube::NamespacedName& primitive,
                            const std::string& claim) {
  for (const runtime::CommandDeclaration& command : kind.commands) {
    if (command.action != runtime::Action::release) continue;
    std::string text = "kondctl ";
    text.append(kind.names.singular).append(" ").append(command.verb).append(" ").append(primitive.name);
    text.append(" -n ").append(primitive.ns);
    if (!claim.empty()) text.append(" --claim ").append(claim);
    return text;
  }
  return "kubectl delete " + to_string(kind.claim_resource()) + " -n " + primitive.ns + " " + claim;
}

}  // namespace konductor::kondctl
