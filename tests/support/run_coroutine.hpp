#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace konductor::tests {

/// Runs `context` until `coroutine` is over. A test that hangs ends with an exception after ten seconds.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine) {
  std::optional<T> result;
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error, T value) {
    thrown = error;
    result.emplace(std::move(value));
  });
  context.restart();
  while (!result) {
    if (context.run_one_for(std::chrono::seconds{10}) == 0) throw std::runtime_error("the coroutine hangs");
  }
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*result);
}

}  // namespace konductor::tests
