#pragma once

#include <string_view>

/// The shapes that names of the Kubernetes API and of declarations must have.
namespace konductor::host {

/// RFC 1123 label of at most 63 characters.
bool is_dns_label(std::string_view text) noexcept;
/// The same, beginning with a letter (RFC 1035): what resource names must be.
bool is_resource_word(std::string_view text) noexcept;
/// Labels joined by dots, at most 253 characters.
bool is_dns_subdomain(std::string_view text) noexcept;
/// "Widget": a CRD's kind.
bool is_kind_word(std::string_view text) noexcept;
/// A reason of conditions and Events: letters, digits and _, beginning with a letter.
bool is_reason_word(std::string_view text) noexcept;
/// A member of a JSON object that CEL can name without escaping: "requestedAt".
bool is_member_name(std::string_view text) noexcept;
/// Members joined by dots: "spec.mode".
bool is_dotted_path(std::string_view text) noexcept;
/// A verb, or a flag without its dashes: "hand-over".
bool is_command_word(std::string_view text) noexcept;
/// "1.2.3", with an optional suffix such as "-rc.1".
bool is_semantic_version(std::string_view text) noexcept;

}  // namespace konductor::host
