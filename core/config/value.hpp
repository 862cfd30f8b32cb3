// A plain tree of values: what TOML and JSON files become before they are bound to config structs.
//
// Keeping this type free of toml++ and nlohmann-json keeps those two headers inside two .cpp files.
// Every value remembers its line, so that an error found long after parsing can still point at it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace whorl {

struct Value;
struct Member;
using Array = std::vector<Value>;
using Table = std::vector<Member>;  // in declared order; keys are unique

/// `line` of a value that came from the command line (`--set key=value`); 0 means unknown (JSON), else it counts
/// from 1.
inline constexpr int kFromCommandLine = -1;

using ValueData = std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table>;

struct Value {
    ValueData data;  // monostate: JSON null
    int line = 0;

    // Out of line: Member is incomplete here, and inlined moves of the tree trip GCC 12's maybe-uninitialized warning.
    Value();
    Value(ValueData held, int at_line = 0);
    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();
};

struct Member {
    std::string key;
    Value value;
};

/// A parsed file; the root of `root` is always a table. `source` is the name that errors show.
struct Document {
    Value root;
    std::string source;
};

/// Nested arrays and tables beyond this are refused, so that no recursion over a tree can exhaust the stack.
inline constexpr int kMaxNesting = 32;
inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

/// The member named `key`, or nullptr. `value` may be of any kind.
const Value* find(const Value& value, std::string_view key);

/// "a string", "a table", …: the kind in an error's words.
const char* kind_name(const Value& value);

/// Throw UserError (one line, `source:line: what`) for anything but well-formed TOML of at most 1 MB with unique keys.
Document parse_toml(std::string_view text, const std::string& source);
/// The same for a JSON object of any size; duplicate keys are errors.
Document parse_json(std::string_view text, const std::string& source);

/// TOML of a table. Within each table plain keys come first, then sub-tables, both in declared order (TOML's own rule);
/// nulls are left out. Numbers are the shortest text that reads back to the same bits.
std::string write_toml(const Value& table);
/// JSON on one line (`indent` 0) or indented; non-finite numbers become null, because JSON has none.
std::string write_json(const Value& value, int indent = 0);

/// Replaces or adds one value, `assignment` being `key.path=value`; the value is TOML, or a bare word taken as a
/// string. `layers[0].d_state` names one element of an array, `layers[*].d_state` all. Throws UserError naming `--set
/// key.path`.
void apply_override(Document& document, std::string_view assignment);
/// The same for a value that is a tree already.
void apply_override(Document& document, std::string_view path, Value value);

}  // namespace whorl
