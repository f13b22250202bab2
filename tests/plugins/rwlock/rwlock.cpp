// A readers-writer lock, with invented words: any number of Loans may read a Bookshelf, or one may write. A shelf that
// is recalled asks all of them back.

#include <konductor/duration.hpp>
#include <konductor/json.hpp>
#include <konductor/plugin.hpp>

namespace {

using namespace konductor::plugin;

constexpr konductor_field claim_fields[] = {field("spec.mode", KONDUCTOR_STRING)};
constexpr std::size_t mode = 0;

// What is not known to read needs the shelf alone.
bool reads(const Claim& claim) {
  return claim.string(mode) == "read";
}

struct Shelf {
  std::int64_t seats = 0;
  std::int64_t readers = 0;
  std::int64_t writers = 0;
  std::int64_t recall = 0;  // microseconds to give back; 0: it is not recalled

  bool admits(bool reader) const { return recall == 0 && writers == 0 && readers < (reader ? seats : 1); }
  void add(bool reader) { ++(reader ? readers : writers); }
  std::string_view phase() const { return writers > 0 ? "Writing" : readers > 0 ? "Reading" : "Free"; }
};

std::optional<Shelf> parse_spec(std::string_view json) {
  const auto object = JsonObject::parse(json);
  if (!object) return std::nullopt;
  Shelf shelf{1'000'000};
  if (!object->raw("seats").empty()) shelf.seats = object->integer("seats").value_or(0);
  if (!object->raw("recall").empty()) shelf.recall = parse_duration(object->string("recall").value_or("")).value_or(-1);
  return shelf.seats > 0 && shelf.recall >= 0 ? std::optional(shelf) : std::nullopt;
}

std::string_view why_not(const Shelf& shelf) {
  if (shelf.recall > 0) return "the shelf is recalled";
  return shelf.writers > 0 ? "someone writes on the shelf" : "the shelf is not free yet";
}

Answer decide(const Input& input, const Sink& sink) {
  auto shelf = parse_spec(input.spec());
  if (!shelf) return Answer::not_understood;
  std::int64_t waiting = 0;
  for (const Claim claim : input) {
    if (claim.holds()) shelf->add(reads(claim));
    if (shelf->recall > 0 && claim.holds() && !claim.revoking())
      sink.revoke(claim.index(), "Recalled", why_not(*shelf), shelf->recall);
    if (claim.waits()) ++waiting;
  }

  std::size_t grants = 0;
  bool someone_ahead = false;  // who waits is not overtaken: a writer would never find the shelf free
  for (const Claim claim : input) {
    if (!claim.waits()) continue;
    if (someone_ahead || !shelf->admits(reads(claim))) {
      sink.wait(claim.index(), someone_ahead ? "InLine" : "OnLoan", why_not(*shelf));
      someone_ahead = someone_ahead || !claim.no_wait();
    } else if (grants == input.max_grants()) {
      break;
    } else {
      sink.grant(claim.index());
      shelf->add(reads(claim));
      ++grants;
      --waiting;
    }
  }

  sink.status(JsonWriter()
                  .string("phase", shelf->phase())
                  .integer("readers", shelf->readers)
                  .integer("writers", shelf->writers)
                  .integer("waiting", waiting)
                  .text());
  sink.condition("Ready", KONDUCTOR_TRUE, "Open", "lends to readers together and to writers alone");
  return Answer::decided;
}

constexpr std::string_view spec_schema = R"({"properties": {
  "seats": {"type": "integer", "format": "int32", "minimum": 1, "description": "How many may read at once; absent: any number."},
  "recall": {"type": "string", "maxLength": 32, "description": "Who has a Loan must give it back within this time, such as 30s; absent: nobody must."}}})";
constexpr std::string_view claim_spec_schema = R"({"properties": {
  "mode": {"type": "string", "enum": ["read", "write"], "default": "read", "description": "read: together with others. write: alone."}}})";
constexpr std::string_view status_schema = R"({"properties": {
  "phase": {"type": "string", "description": "Free, Reading or Writing."},
  "readers": {"type": "integer", "format": "int64", "description": "How many read."},
  "writers": {"type": "integer", "format": "int64", "description": "How many write: 0 or 1."},
  "waiting": {"type": "integer", "format": "int64", "description": "How many Loans wait."}}})";

constexpr konductor_rule rules[] = {
    rule(KONDUCTOR_OF_PRIMITIVE, "!has(self.spec.seats) || self.spec.seats <= 1000", "a shelf has at most 1000 seats"),
};

constexpr konductor_column columns[] = {
    column(KONDUCTOR_OF_PRIMITIVE, "READERS", "integer", ".status.readers", "How many read"),
    column(KONDUCTOR_OF_PRIMITIVE, "WRITERS", "integer", ".status.writers", "How many write"),
    column(KONDUCTOR_OF_PRIMITIVE, "WAITING", "integer", ".status.waiting", "How many wait"),
    column(KONDUCTOR_OF_PRIMITIVE, "PHASE", "string", ".status.phase", "Free, Reading or Writing"),
    column(KONDUCTOR_OF_CLAIM, "SHELF", "string", ".spec.shelf", "The Bookshelf that it is of"),
    column(KONDUCTOR_OF_CLAIM, "MODE", "string", ".spec.mode", "read or write"),
    column(KONDUCTOR_OF_CLAIM, "PHASE", "string", ".status.phase", "Pending, Granted, or how it ended"),
};

constexpr konductor_flag borrow_flags[] = {
    string_flag("mode", "read|write", "how to use the shelf (default read)", "spec.mode"),
};
constexpr konductor_fixed to_write[] = {fixed("spec.mode", "\"write\"")};

constexpr konductor_command commands[] = {
    command(KONDUCTOR_ACQUIRE, "borrow", "Borrow a shelf", borrow_flags),
    command(KONDUCTOR_ACQUIRE, "rewrite", "Borrow a shelf to write on it", to_write),
    command(KONDUCTOR_RUN, "work", "Borrow a shelf while a command runs", borrow_flags),
    command(KONDUCTOR_HOLD, "reserve", "Borrow a shelf, and keep it until told to stop", borrow_flags),
    command(KONDUCTOR_RENEW, "extend", "Show that the borrower of a shelf is alive"),
    command(KONDUCTOR_RELEASE, "give-back", "Give a borrowed shelf back"),
    command(KONDUCTOR_SHOW, "look", "Show a shelf"),
    command(KONDUCTOR_LIST, "ls", "List shelves"),
};
constexpr auto command_list = pointers(commands);

constexpr konductor_kind bookshelf =
    Kind(KONDUCTOR_MODE_GRANTED)
        .primitive(names("Bookshelf", "bookshelves", "bookshelf"), "A Bookshelf is read by many, or written by one.")
        .claim(names("Loan", "loans", "loan"), "A Loan asks to read or to write a Bookshelf.")
        .primitive_field("shelf")
        .spec(spec_schema)
        .status(status_schema)
        .claim_spec(claim_spec_schema)
        .claim_fields(claim_fields)
        .rules(rules)
        .columns(columns)
        .commands(command_list)
        .decided_by<decide>();

}  // namespace

KONDUCTOR_PLUGIN("rwlock", "1.2.0", 0, &bookshelf);
