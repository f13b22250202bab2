#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace konductor::kube {

/// An HTTP answer as a value.
struct Response {
  int status = 0;
  std::string body;
  int retry_after_s = 0;  // Retry-After; 0: absent
  std::string date;       // Date header as sent, for the server's clock
};

/// The one mapping from HTTP status and metav1.Status reason to our codes.
Errc errc_of(int http_status, std::string_view reason) noexcept;

/// A 2xx answer as parsed JSON; else an Error whose detail keeps the server's own words (metav1.Status.message). A 404
/// for a path that is not served (no metav1.Status details, "the server could not find the requested resource") is
/// Errc::not_installed. A 403 names verb and resource as the server says it. `doing` starts the sentence, for example
/// "create deployments.apps team-a/web".
Result<nlohmann::json> classify(const Response& response, std::string_view doing);

/// True for a 403 by which the server says that a role lacks a right, and not that it will not have this one object.
bool is_missing_right(const Error& error);

/// The Error that a metav1.Status stands for, as classify() gives it; `http_status` counts where the Status has no
/// code. For ERROR events of a watch, which arrive inside of a 200. `doing` may be empty.
Error error_of_status(const nlohmann::json& status, int http_status, std::string_view doing);

}  // namespace konductor::kube
