#include "fuzz/fuzz.hpp"
#include "kondctl/json_path.hpp"
#include "kondctl/table.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

/// A printer column's path, a type, and the object: what kondctl prints of a server's answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(fuzz::text_of(data, size));
  runtime::ColumnDeclaration column;
  column.json_path = lines.next();
  column.type = lines.next();
  const kube::WallTime noon{std::chrono::hours{500'000}};
  json object = json::parse(lines.rest(), nullptr, false);
  if (object.is_discarded()) object = json::object();

  const std::string cell = kondctl::cell(object, column, noon);
  const std::string table =
      kondctl::render_table({{"NAME", "A", "B"}, {cell, std::string(lines.rest())}, {column.json_path}});
  const std::vector<std::string> rows = fuzz::split(table);
  expect(rows.size() == 4 && rows.back().empty(), "a table has a line for each row");
  for (const std::string& row : rows) {
    expect(kube::visible(row) == row, "a terminal gets no commands");
    expect(!row.ends_with(' '), "no line ends with blanks");
  }
  kondctl::set_path(object, column.json_path, 7);
  // Indexes are for reading only, and an empty path is the object itself.
  if (column.json_path.find('[') == std::string::npos) {
    const json* found = kondctl::find_column(object, column.json_path);
    expect(found != nullptr && *found == 7, "what is set can be found");
  }
  return 0;
}
