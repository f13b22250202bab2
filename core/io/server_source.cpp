#include "io/server_source.hpp"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <utility>

namespace konductor::io {

namespace {

/// A certificate and its key are two files: between the writing of the first and of the second they do not fit.
constexpr std::chrono::seconds retry_after{1};

bool has_files(const kube::ClusterAccess& access) {
  return access.server.tls &&
         std::ranges::any_of(std::initializer_list{&access.ca, &access.client_certificate, &access.client_key},
                             [](const kube::PemSource* source) { return !source->file.empty(); });
}

}  // namespace

ServerSource::ServerSource(const kube::ClusterAccess& access, const Environment& environment)
    : access_(access), environment_(environment) {}

Result<ServerSource> ServerSource::load(const kube::ClusterAccess& access, const Environment& environment,
                                        runtime::MonoTime now) {
  ServerSource source(access, environment);
  const auto done = source.read(now);
  if (!done) return done.error();
  return source;
}

Result<void> ServerSource::read(runtime::MonoTime now) {
  read_again_ = has_files(access_) ? now + retry_after : runtime::MonoTime::max();
  auto settings = read_tls_settings(access_, environment_);
  if (!settings) return settings.error();
  if (!given_certificate_.text.empty()) {
    settings->certificate = given_certificate_;
    settings->key = given_key_;
  }
  const auto taken = take(std::move(*settings));
  if (taken && has_files(access_)) read_again_ = now + max_credential_age;
  return taken;
}

Result<void> ServerSource::take(TlsSettings settings) {
  if (server_ && settings == settings_) return {};
  auto server = make_server(access_, settings);
  if (!server) return server.error();
  server_ = std::move(*server);
  settings_ = std::move(settings);
  return {};
}

std::shared_ptr<const Server> ServerSource::server(runtime::MonoTime now) {
  // What is wrong with new files shows once the old ones are refused: until then they are good enough.
  if (now >= read_again_) static_cast<void>(read(now));
  return server_;
}

bool ServerSource::renew(const std::shared_ptr<const Server>& refused, runtime::MonoTime now) {
  if (has_files(access_)) static_cast<void>(read(now));
  return server_ != refused;
}

Result<void> ServerSource::identify(const kube::ExecCredential& credential, const kube::ExecPlugin& plugin,
                                    runtime::MonoTime now) {
  if (!access_.server.tls) return {};
  if (credential.key.empty()) {
    if (given_certificate_.text.empty()) return {};
    given_certificate_ = {};
    given_key_ = {};
    return read(now);
  }
  TlsSettings settings = settings_;
  settings.certificate = {credential.certificate, kube::name_of(plugin) + ": clientCertificateData"};
  settings.key = {credential.key, kube::name_of(plugin) + ": clientKeyData"};
  NamedPem certificate = settings.certificate;
  NamedPem key = settings.key;
  const auto taken = take(std::move(settings));
  if (!taken) return taken.error();
  given_certificate_ = std::move(certificate);
  given_key_ = std::move(key);
  return {};
}

}  // namespace konductor::io
