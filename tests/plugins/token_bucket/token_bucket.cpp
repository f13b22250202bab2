// A token bucket, with invented words: a Faucet lets so many Sips pass per minute. What is granted is used up, not
// held.

#include <konductor/json.hpp>
#include <konductor/plugin.hpp>

#include <algorithm>

namespace {

using namespace konductor::plugin;

constexpr std::int64_t milli = 1000;   // the level is kept in thousandths of a sip
constexpr std::int64_t tick = 60'000;  // microseconds in which a refill of 1 per minute gives 1 milli
constexpr std::int64_t most_capacity = 1'000'000;
constexpr std::int64_t most_refill = 60 * most_capacity;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

struct Bucket {
  std::int64_t capacity = 0;  // milli
  std::int64_t refill = 0;    // per minute
  std::int64_t level = 0;     // milli
  std::int64_t at = 0;        // when the level was right, microseconds

  void refill_until(std::int64_t now) {
    level = std::min(level, capacity);
    if (now <= at || refill == 0) return;
    const std::int64_t elapsed = now - at;
    if (elapsed >= divide_up((capacity - level) * tick, refill)) {
      level = capacity;
      at = now;
      return;
    }
    level += elapsed * refill / tick;
    at = now - elapsed * refill % tick / refill;  // what is not a whole milli yet is not lost
  }
  std::int64_t time_of(std::int64_t wanted) const { return at + divide_up((wanted - level) * tick, refill); }
};

bool within(std::optional<std::int64_t> value, std::int64_t lowest, std::int64_t highest) {
  return value && *value >= lowest && *value <= highest;
}

std::optional<Bucket> parse(const Input& input) {
  const auto spec = JsonObject::parse(input.spec());
  const auto state = JsonObject::parse(input.state());
  if (!spec || !state) return std::nullopt;
  const auto capacity = spec->integer("capacity");
  const auto refill = spec->integer("refillPerMinute");
  if (!within(capacity, 1, most_capacity) || !within(refill, 0, most_refill)) return std::nullopt;
  Bucket bucket{*capacity * milli, *refill, *capacity * milli, input.now()};
  if (state->raw("level").empty() && state->raw("at").empty()) return bucket;  // new, and full
  const auto level = state->integer("level");
  const auto at = state->integer("at");
  if (!within(level, 0, most_capacity * milli) || !at || *at < 0) return std::nullopt;
  bucket.level = *level;
  bucket.at = *at;
  return bucket;
}

Answer decide(const Input& input, const Sink& sink) {
  auto bucket = parse(input);
  if (!bucket) return Answer::not_understood;
  bucket->refill_until(input.now());

  const auto asking = std::count_if(input.begin(), input.end(), [](const Claim& claim) { return claim.waits(); });
  std::int64_t grants = 0;
  bool dry = false;  // someone waits for the level to rise: nobody overtakes
  for (const Claim claim : input) {
    if (!claim.waits()) continue;
    const std::int64_t units = std::max<std::int64_t>(claim.units(), 1);
    if (units <= bucket->capacity / milli && !dry && units * milli <= bucket->level) {
      if (grants == static_cast<std::int64_t>(input.max_grants())) break;
      sink.grant_consume(claim.index());
      bucket->level -= units * milli;
      ++grants;
      continue;
    }
    if (units > bucket->capacity / milli) {
      sink.wait(claim.index(), "ExceedsLimit", "asks for more than the faucet ever holds");
      continue;
    }
    sink.wait(claim.index(), "Dry", "waits until enough has flowed in");
    if (!dry && !claim.no_wait() && bucket->refill > 0) sink.look_again_at(bucket->time_of(units * milli));
    dry = dry || !claim.no_wait();
  }

  if (grants > 0) sink.state(JsonWriter().integer("level", bucket->level).integer("at", bucket->at).text());
  sink.status(JsonWriter()
                  .string("phase", dry ? "Dry" : "Flowing")
                  .integer("level", bucket->level / milli)
                  .integer("waiting", asking - grants)
                  .text());
  sink.condition("Ready", KONDUCTOR_TRUE, "Flowing", "lets through what its refill allows");
  return Answer::decided;
}

constexpr std::string_view spec_schema = R"({"required": ["capacity", "refillPerMinute"], "properties": {
  "capacity": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 1000000, "description": "How many sips it holds when it is full."},
  "refillPerMinute": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 60000000, "description": "How many sips flow in per minute."}}})";
constexpr std::string_view status_schema = R"({"properties": {
  "phase": {"type": "string", "description": "Flowing, or Dry while a Sip waits for more to flow in."},
  "level": {"type": "integer", "format": "int64", "description": "How many sips were there when it was last looked at."},
  "waiting": {"type": "integer", "format": "int64", "description": "How many Sips wait."}}})";

constexpr konductor_rule rules[] = {
    rule(KONDUCTOR_OF_PRIMITIVE, "self.spec.refillPerMinute <= 60 * self.spec.capacity",
         "refillPerMinute must not fill the faucet more than once a second"),
};

constexpr konductor_column columns[] = {
    column(KONDUCTOR_OF_PRIMITIVE, "CAPACITY", "integer", ".spec.capacity", "How many sips it holds when it is full"),
    column(KONDUCTOR_OF_PRIMITIVE, "LEVEL", "integer", ".status.level", "How many sips are there"),
    column(KONDUCTOR_OF_PRIMITIVE, "WAITING", "integer", ".status.waiting", "How many wait"),
    column(KONDUCTOR_OF_CLAIM, "FAUCET", "string", ".spec.faucet", "The Faucet that it is of"),
    column(KONDUCTOR_OF_CLAIM, "SIPS", "integer", ".spec.sips", "How many sips it asks for"),
    column(KONDUCTOR_OF_CLAIM, "PHASE", "string", ".status.phase", "Pending, Granted, or how it ended"),
};

constexpr konductor_flag sip_flags[] = {
    integer_flag("sips", "N", "how many sips to take (default 1)", "spec.sips", 1, 2147483647),
};

constexpr konductor_command commands[] = {
    command(KONDUCTOR_ACQUIRE, "sip", "Take sips, as soon as there are enough", sip_flags),
    command(KONDUCTOR_SHOW, "gaze", "Show a faucet"),
    command(KONDUCTOR_LIST, "ls", "List faucets"),
};
constexpr auto command_list = pointers(commands);

constexpr konductor_kind faucet =
    Kind(KONDUCTOR_MODE_GRANTED)
        .primitive(names("Faucet", "faucets", "faucet"), "A Faucet lets so many sips pass per minute.")
        .claim(names("Sip", "sips", "sip"), "A Sip asks for sips of a Faucet, and uses them up.")
        .primitive_field("faucet")
        .units_field("sips")
        .spec(spec_schema)
        .status(status_schema)
        .rules(rules)
        .columns(columns)
        .commands(command_list)
        .decided_by<decide>();

}  // namespace

KONDUCTOR_PLUGIN("token-bucket", "0.3.0", 0, &faucet);
