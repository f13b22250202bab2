#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/kubeconfig.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

constexpr std::size_t longest = std::size_t{1} << 20U;

bool is_bare(const std::string& name, const std::string& folder) {
  return name.empty() || name.front() == '/' || name.starts_with(folder);
}

void check_file(const kube::KubeconfigFile& file) {
  for (const auto& [name, cluster] : file.clusters) {
    expect(!name.empty(), "a cluster has a name");
    expect(is_bare(cluster.ca_file, "/home/u/.kube/"), "file names are absolute");
    expect(cluster.exec_config.empty() || nlohmann::json::accept(cluster.exec_config), "an extension is JSON");
    expect(cluster.exec_config.size() <= longest, "an extension is bounded");
  }
  for (const auto& [name, user] : file.users) {
    expect(!name.empty(), "a user has a name");
    expect(is_bare(user.token_file, "/home/u/.kube/"), "file names are absolute");
  }
}

void check_access(const kube::ClusterAccess& access) {
  expect(!access.server.host.empty() && access.server.port != 0, "the server has a host and a port");
  expect(!access.ns.empty(), "there is always a namespace");
  expect(access.client_certificate.empty() == access.client_key.empty(), "a certificate comes with its key");
  expect(std::ranges::all_of(access.token, [](char c) { return c > 0x20 && c < 0x7f; }), "a token fits into a header");
  expect(!access.insecure_skip_tls_verify || access.ca.empty(), "a CA is not ignored");
  expect(!access.exec || (!access.exec->command.empty() && access.token.empty()), "an exec plugin has a command");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = kube::parse_kubeconfig(fuzz::text_of(data, size), "/home/u/.kube/config");
  if (!file) {
    fuzz::expect_sentence(file.error());
    expect(file.error().code == Errc::bad_config, "it is the configuration that is wrong");
    return 0;
  }
  check_file(*file);
  const auto current = kube::resolve(*file, {});
  current ? check_access(*current) : fuzz::expect_sentence(current.error());
  for (const auto& [name, context] : file->contexts) {
    const auto access = kube::resolve(*file, name);
    access ? check_access(*access) : fuzz::expect_sentence(access.error());
  }
  const auto merged = kube::merge_kubeconfigs({*file, *file});
  expect(merged.clusters.size() == file->clusters.size() && merged.users.size() == file->users.size(),
         "merged with itself nothing is added");
  expect(kube::resolve(merged, {}).has_value() == current.has_value(), "merged with itself it gives the same access");
  return 0;
}
