#pragma once

#include "base/error.hpp"
#include "fuzz/fuzz.hpp"
#include "kube/text.hpp"

#include <cstddef>

namespace konductor::fuzz {

/// What people are told is bounded, on one line, and has nothing in it that a terminal would act on.
inline void expect_sentence(const Error& error, std::size_t longest = 4000) {
  expect(error.detail.size() > 3, "an error has a sentence");
  expect(error.detail.size() <= longest, "the sentence is bounded, whatever it quotes");
  expect(kube::visible(error.detail) == error.detail, "the sentence can be shown on a terminal");
  expect(error.retry_after_s >= 0 && error.retry_after_s <= 3600, "the wait that the server asks for is bounded");
}

}  // namespace konductor::fuzz
