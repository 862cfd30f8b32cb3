#include "core/config/value.hpp"

#include <algorithm>

namespace whorl {

Value::Value() = default;
Value::Value(ValueData held, int at_line) : data(std::move(held)), line(at_line) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

const Value* find(const Value& value, std::string_view key) {
    const Table* table = std::get_if<Table>(&value.data);
    if (table == nullptr) return nullptr;
    const auto found = std::find_if(table->begin(), table->end(), [&](const Member& m) { return m.key == key; });
    return found == table->end() ? nullptr : &found->value;
}

const char* kind_name(const Value& value) {
    constexpr const char* names[] = {"null",     "true or false", "an integer", "a number",
                                     "a string", "an array",      "a table"};
    return names[value.data.index()];
}

}  // namespace whorl
