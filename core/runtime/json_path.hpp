#pragma once

#include "kube/json_fields.hpp"

namespace konductor::runtime {

using kube::boolean_at;
using kube::find_path;
using kube::integer_at;
using kube::text_at;

}  // namespace konductor::runtime
