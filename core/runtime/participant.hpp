#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <variant>

/// Who a claim stands for, where it does not say so itself and names a Pod: found out from what the server says of
/// that Pod and its Job. Pure; who asks is kind_machine_participants.cpp.
namespace konductor::runtime {

struct Participant {
  std::string id;
  std::string doubt;  // why a retry would not be the same one, as a clause; empty: it would be
};

/// There is no such Pod any more: nobody knows who it was.
struct GonePod {
  std::string why;  // a clause
};

/// The Job that controls a Pod.
struct OwningJob {
  std::string name;
  std::string uid;
};

/// A Pod as a claim names it.
struct NamedPod {
  std::string name;
  std::string uid;
};

/// `object` is the Pod of that name, its metadata at the least; null: there is none. An OwningJob: only that one knows.
std::variant<Participant, OwningJob, GonePod> participant_of(const NamedPod& pod, const nlohmann::json* object);

/// Why nobody can ask that Job any more; empty: `object`, the Job of that name, is it. Null: there is none.
std::string why_job_is_gone(const OwningJob& job, const nlohmann::json* object);

/// Why one Pod of the Job is not the same participant as the next; empty: the Job has one completion.
std::string why_not_one_completion(const OwningJob& job, const nlohmann::json& object);

/// What people are told of a doubt: what it costs, and how to name the participant.
std::string doubt_message(const KindDeclaration& kind, const std::string& doubt);

/// And of one that is not counted, because its Pod or the Job of that is gone.
std::string gone_message(const KindDeclaration& kind, const std::string& why);

}  // namespace konductor::runtime
