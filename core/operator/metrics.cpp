#include "operator/metrics.hpp"

#include <cstdint>
#include <string_view>

namespace konductor::app {
namespace {

using Counters = runtime::KindMachine::Counters;

struct Series {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::uint64_t (*value)(const Counters&);
};

constexpr Series series[] = {
    {"konductor_decisions_total", "counter", "Calls of a plugin's decide",
     [](const Counters& c) { return c.decisions; }},
    {"konductor_records_total", "counter", "Writes that recorded grants", [](const Counters& c) { return c.records; }},
    {"konductor_grants_total", "counter", "Claims granted", [](const Counters& c) { return c.grants; }},
    {"konductor_denials_total", "counter", "Claims denied", [](const Counters& c) { return c.denials; }},
    {"konductor_expiries_total", "counter", "Claims ended by their TTL or by the end of their pod",
     [](const Counters& c) { return c.expiries; }},
    {"konductor_conflicts_total", "counter", "Writes that met a newer resourceVersion",
     [](const Counters& c) { return c.conflicts; }},
    {"konductor_failed_writes_total", "counter", "Requests that failed for another reason",
     [](const Counters& c) { return c.failed_writes; }},
    {"konductor_claims", "gauge", "Claims known", [](const Counters& c) { return c.claims; }},
    {"konductor_primitives", "gauge", "Primitives known", [](const Counters& c) { return c.primitives; }},
    {"konductor_holding", "gauge", "Claims that hold", [](const Counters& c) { return c.holding; }},
    {"konductor_waiting", "gauge", "Claims that wait", [](const Counters& c) { return c.waiting; }},
    {"konductor_requests_in_flight", "gauge", "Requests without an answer yet",
     [](const Counters& c) { return c.in_flight; }},
    {"konductor_quarantined", "gauge", "1 where the plugin broke its contract and is not called any more",
     [](const Counters& c) { return std::uint64_t{c.quarantined ? 1U : 0U}; }},
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

}  // namespace

std::string render(const Metrics& metrics) {
  std::string out;
  for (const auto& line : series) {
    head(out, line.name, line.type, line.help);
    for (const auto& kind : metrics.kinds) {
      out.append(line.name).append("{kind=\"").append(escaped(kind.kind)).append("\"} ");
      out.append(std::to_string(line.value(kind.counters))).append("\n");
    }
  }
  head(out, "konductor_plugin_info", "gauge", "Plugins that are loaded");
  for (const auto& kind : metrics.kinds) {
    out.append("konductor_plugin_info{plugin=\"").append(escaped(kind.plugin)).append("\",version=\"");
    out.append(escaped(kind.version)).append("\",kind=\"").append(escaped(kind.kind)).append("\"} 1\n");
  }
  head(out, "konductor_plugin_refused", "gauge", "Plugin files that were refused; kondctl plugin list says why");
  for (const auto& file : metrics.refused_plugins)
    out.append("konductor_plugin_refused{file=\"").append(escaped(file)).append("\"} 1\n");
  head(out, "konductor_leading", "gauge", "1 where this replica acts");
  out.append("konductor_leading ").append(metrics.leading ? "1" : "0").append("\n");
  head(out, "konductor_synced", "gauge", "1 once everything was listed");
  out.append("konductor_synced ").append(metrics.synced ? "1" : "0").append("\n");
  return out;
}

}  // namespace konductor::app
