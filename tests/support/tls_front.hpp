#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace konductor::tests {

/// Speaks TLS with its clients, as NAME.crt of a folder, and plain text with what is behind it.
class TlsFront {
 public:
  TlsFront(boost::asio::io_context& context, const std::filesystem::path& folder, const std::string& name,
           std::uint16_t port_behind);
  ~TlsFront();
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace konductor::tests
