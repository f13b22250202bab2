#include "kube/kubeconfig.hpp"

#include "kube/text.hpp"
#include "kube/yaml_json.hpp"

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace konductor::kube {
namespace {

constexpr std::size_t max_size = std::size_t{4} << 20U;

/// A problem at a place of the file; thrown and caught in this file only, as yaml-cpp's own are.
struct Problem {
  YAML::Mark mark;
  std::string text;
};

std::string place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) + ": ";
}

bool is_set(const YAML::Node& node) {
  return node.IsDefined() && !node.IsNull();
}

void expect_map(const YAML::Node& node, const std::string& what) {
  if (!node.IsMap()) throw Problem{node.Mark(), what + " must be a mapping"};
}

std::string text_at(const YAML::Node& map, const std::string& key) {
  const YAML::Node value = map[key];
  if (!is_set(value)) return {};
  if (!value.IsScalar()) throw Problem{value.Mark(), key + " must be a text"};
  return value.Scalar();
}

bool flag_at(const YAML::Node& map, const std::string& key) {
  const YAML::Node value = map[key];
  if (!is_set(value)) return false;
  bool flag = false;
  if (!value.IsScalar() || !YAML::convert<bool>::decode(value, flag)) {
    throw Problem{value.Mark(), key + " must be true or false"};
  }
  return flag;
}

/// Resolves file names against the folder of the kubeconfig, textually: nothing is looked up.
class Folder {
 public:
  explicit Folder(std::string_view file) {
    const std::size_t slash = file.rfind('/');
    if (slash != std::string_view::npos) prefix_ = file.substr(0, slash + 1);
  }

  [[nodiscard]] std::string file_at(const YAML::Node& map, const std::string& key) const {
    const std::string name = text_at(map, key);
    return name.empty() || name.front() == '/' ? name : prefix_ + name;
  }

  /// A bare name is none of a file: it is looked for on PATH.
  [[nodiscard]] std::string command_at(const YAML::Node& map, const std::string& key) const {
    const std::string name = text_at(map, key);
    return name.find('/') == std::string::npos ? name : file_at(map, key);
  }

 private:
  std::string prefix_;
};

YAML::Node list_at(const YAML::Node& map, const std::string& key) {
  const YAML::Node value = map[key];
  if (is_set(value) && !value.IsSequence()) throw Problem{value.Mark(), key + " must be a list"};
  return is_set(value) ? value : YAML::Node(YAML::NodeType::Sequence);
}

/// What an exec plugin is told beside the cluster itself: the extension of its name, whatever that is.
std::string read_exec_config(const YAML::Node& cluster) {
  for (const YAML::Node& extension : list_at(cluster, "extensions")) {
    if (!extension.IsMap() || text_at(extension, "name") != "client.authentication.k8s.io/exec") continue;
    const YAML::Node body = extension["extension"];
    if (!is_set(body)) return {};
    auto text = to_json_text(body);
    if (!text) throw Problem{body.Mark(), "this extension can't be told to an exec plugin: it is no JSON, or too much"};
    return std::move(*text);
  }
  return {};
}

KubeconfigFile::Cluster read_cluster(const YAML::Node& node, const Folder& folder) {
  KubeconfigFile::Cluster cluster;
  cluster.server = text_at(node, "server");
  cluster.ca_data = text_at(node, "certificate-authority-data");
  cluster.ca_file = folder.file_at(node, "certificate-authority");
  cluster.tls_server_name = text_at(node, "tls-server-name");
  cluster.proxy_url = text_at(node, "proxy-url");
  cluster.insecure_skip_tls_verify = flag_at(node, "insecure-skip-tls-verify");
  cluster.exec_config = read_exec_config(node);
  return cluster;
}

std::vector<std::string> read_env(const YAML::Node& list) {
  std::vector<std::string> env;
  for (const YAML::Node& variable : list) {
    expect_map(variable, "an entry of env");
    const std::string name = text_at(variable, "name");
    if (name.empty() || name.find('=') != std::string::npos) {
      throw Problem{variable.Mark(), "an entry of env has no name, or one with a '='"};
    }
    env.push_back(name + "=" + text_at(variable, "value"));
  }
  return env;
}

/// What is wrong with an `exec` counts only for who uses it: a kubeconfig may have old ones that nobody does.
std::string why_unusable(const ExecPlugin& plugin, const std::string& mode) {
  if (plugin.command.empty()) return "exec has no command";
  const bool stable = plugin.api_version == "client.authentication.k8s.io/v1";
  if (!stable && plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return "exec has the apiVersion " + quoted(plugin.api_version) +
           "; known are client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1";
  }
  if (mode.empty()) return stable ? "exec has no interactiveMode: Never, IfAvailable or Always" : "";
  const bool known = mode == "Never" || mode == "IfAvailable" || mode == "Always";
  return known ? "" : "exec has the interactiveMode " + quoted(mode) + "; known are Never, IfAvailable and Always";
}

void read_exec(const YAML::Node& node, const Folder& folder, KubeconfigFile::User& user) {
  expect_map(node, "exec");
  ExecPlugin plugin;
  plugin.api_version = text_at(node, "apiVersion");
  plugin.command = folder.command_at(node, "command");
  for (const YAML::Node& argument : list_at(node, "args")) {
    if (!argument.IsScalar()) throw Problem{argument.Mark(), "an argument of exec must be a text"};
    plugin.args.push_back(argument.Scalar());
  }
  plugin.env = read_env(list_at(node, "env"));
  plugin.install_hint = text_at(node, "installHint");
  plugin.provide_cluster_info = flag_at(node, "provideClusterInfo");
  const std::string mode = text_at(node, "interactiveMode");
  if (mode == "Never") plugin.interaction = Interaction::never;
  if (mode == "Always") plugin.interaction = Interaction::always;
  user.exec_problem = why_unusable(plugin, mode);
  user.exec = std::move(plugin);
}

KubeconfigFile::User read_user(const YAML::Node& node, const Folder& folder) {
  KubeconfigFile::User user;
  user.client_certificate_data = text_at(node, "client-certificate-data");
  user.client_certificate_file = folder.file_at(node, "client-certificate");
  user.client_key_data = text_at(node, "client-key-data");
  user.client_key_file = folder.file_at(node, "client-key");
  user.token = text_at(node, "token");
  user.token_file = folder.file_at(node, "tokenFile");
  if (is_set(node["exec"])) read_exec(node["exec"], folder, user);
  for (const char* key : {"auth-provider", "username", "password", "as"}) {
    if (is_set(node[key])) user.unsupported.emplace_back(key);
  }
  return user;
}

KubeconfigFile::Context read_context(const YAML::Node& node, const Folder&) {
  return {.cluster = text_at(node, "cluster"), .user = text_at(node, "user"), .ns = text_at(node, "namespace")};
}

/// A list such as `clusters: [{name: a, cluster: {...}}]` as a map.
template <class T>
KubeconfigFile::ByName<T> read_entries(const YAML::Node& root, const std::string& singular, const Folder& folder,
                                       T (*read)(const YAML::Node&, const Folder&)) {
  KubeconfigFile::ByName<T> entries;
  const YAML::Node list = root[singular + 's'];
  if (!is_set(list)) return entries;
  if (!list.IsSequence()) throw Problem{list.Mark(), singular + "s must be a list"};
  for (const YAML::Node& element : list) {
    expect_map(element, "an entry of " + singular + 's');
    const std::string name = text_at(element, "name");
    if (name.empty()) throw Problem{element.Mark(), "an entry of " + singular + "s has no name"};
    const YAML::Node body = element[singular];
    if (is_set(body)) expect_map(body, singular + " of " + quoted(name));
    const bool fresh = entries.emplace(name, is_set(body) ? read(body, folder) : T{}).second;
    if (!fresh) throw Problem{element.Mark(), "two " + singular + "s have one name, " + quoted(name)};
  }
  return entries;
}

KubeconfigFile read_file(std::string_view text, std::string_view path) {
  KubeconfigFile file;
  file.path = path;
  const YAML::Node root = YAML::Load(std::string(text));
  // One file of a list may be empty, as in kubectl.
  if (!is_set(root)) return file;
  expect_map(root, "a kubeconfig");
  const std::string kind = text_at(root, "kind");
  if (!kind.empty() && kind != "Config") {
    throw Problem{root["kind"].Mark(), "this is of kind " + quoted(kind) + ", a kubeconfig is of kind Config"};
  }
  const Folder folder(path);
  file.current_context = text_at(root, "current-context");
  file.clusters = read_entries(root, "cluster", folder, read_cluster);
  file.users = read_entries(root, "user", folder, read_user);
  file.contexts = read_entries(root, "context", folder, read_context);
  for (auto& [name, cluster] : file.clusters) cluster.from = path;
  for (auto& [name, user] : file.users) user.from = path;
  return file;
}

}  // namespace

KubeconfigFile merge_kubeconfigs(const std::vector<KubeconfigFile>& files) {
  KubeconfigFile merged;
  for (const KubeconfigFile& file : files) {
    merged.path += (merged.path.empty() ? "" : ":") + file.path;
    if (merged.current_context.empty()) merged.current_context = file.current_context;
    merged.clusters.insert(file.clusters.begin(), file.clusters.end());
    merged.users.insert(file.users.begin(), file.users.end());
    merged.contexts.insert(file.contexts.begin(), file.contexts.end());
  }
  return merged;
}

Result<KubeconfigFile> parse_kubeconfig(std::string_view text, std::string_view path) {
  const std::string prefix = "kubeconfig " + std::string(path) + ": ";
  if (text.size() > max_size) return Error{Errc::bad_config, prefix + "the file has more than 4 MiB"};
  try {
    return read_file(text, path);
  } catch (const Problem& problem) {
    return Error{Errc::bad_config, prefix + place_of(problem.mark) + problem.text};
  } catch (const YAML::Exception& error) {
    return Error{Errc::bad_config, prefix + place_of(error.mark) + "not YAML: " + one_line(error.msg, 200)};
  } catch (const std::exception& error) {
    return Error{Errc::bad_config, prefix + "not YAML: " + one_line(error.what(), 200)};
  }
}

}  // namespace konductor::kube
