#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/exec_credential.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

}  // namespace

/// What an exec plugin prints.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  kube::ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.command = "cloud-auth";
  plugin.field = "user \"u\"";
  plugin.provide_cluster_info = true;

  kube::ExecRun run;
  run.out = text;
  const auto credential = kube::judge(run, plugin);
  if (credential) {
    expect(!credential->token.empty() || !credential->key.empty(), "a credential has something in it");
    expect(credential->certificate.empty() == credential->key.empty(), "a certificate comes with its key");
    expect(std::ranges::all_of(credential->token, [](char c) { return c > 0x20 && c < 0x7f; }),
           "a token fits into a header");
  } else {
    fuzz::expect_sentence(credential.error());
    expect(credential.error().code == Errc::bad_config, "it is no such program");
  }

  run.exit_code = 1;
  run.err = text;
  const auto failed = kube::judge(run, plugin);
  expect(!failed && failed.error().code == Errc::unauthorized, "a program that fails gives nothing");
  if (!failed) fuzz::expect_sentence(failed.error());

  kube::ExecCluster cluster;
  cluster.server = cluster.authority = text;
  if (nlohmann::json::accept(text)) cluster.config = text;
  expect(nlohmann::json::accept(kube::exec_info(plugin, cluster, false)), "what a program is told is JSON");
  return 0;
}
