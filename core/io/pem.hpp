#pragma once

#include <string>
#include <string_view>

namespace konductor::io {

enum class PemUse { certificates, key };

/// Why `text` can't be used so, judged by its BEGIN and END lines: what was found, and what is needed. Empty where they
/// are right. Says nothing of the content: it may be a secret.
std::string why_no_pem(std::string_view text, PemUse use);

/// "2 x CERTIFICATE", "PRIVATE KEY": the blocks in `text`, for people.
std::string pem_blocks(std::string_view text);

}  // namespace konductor::io
