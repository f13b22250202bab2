#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

/// RFC 4648 section 4, padded; line breaks and spaces are skipped, as in YAML blocks. Nothing where it is malformed.
std::optional<std::string> decode_base64(std::string_view text);

/// RFC 4648 section 4, padded, on one line.
std::string encode_base64(std::string_view bytes);

/// RFC 4648 section 5 without padding, as JWTs have it.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace konductor::kube
