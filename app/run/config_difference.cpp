#include "app/run/config_difference.hpp"

#include <algorithm>

namespace whorl {
namespace {

using Differences = std::vector<KeyDifference>;

void compare(const std::string& path, const Value* a, const Value* b, Differences& out);

void compare_tables(const std::string& path, const Table& a, const Value& b, Differences& out) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const Member& member : a) compare(prefix + member.key, &member.value, find(b, member.key), out);
    const Value whole{a};
    for (const Member& member : std::get<Table>(b.data))
        if (find(whole, member.key) == nullptr) compare(prefix + member.key, nullptr, &member.value, out);
}

// A key without a value and an absent key are the same in TOML.
std::string text_of(const Value* value) {
    return value == nullptr || std::holds_alternative<std::monostate>(value->data) ? "nothing" : write_json(*value);
}

bool lists_tables(const Value& value) {
    const Array* items = std::get_if<Array>(&value.data);
    return items && std::all_of(items->begin(), items->end(),
                                [](const Value& item) { return std::holds_alternative<Table>(item.data); });
}

void compare(const std::string& path, const Value* a, const Value* b, Differences& out) {
    const std::string text_a = text_of(a), text_b = text_of(b);
    if (text_a == text_b) return;
    if (a && b) {
        const Table* table = std::get_if<Table>(&a->data);
        if (table && std::holds_alternative<Table>(b->data)) return compare_tables(path, *table, *b, out);
        if (lists_tables(*a) && lists_tables(*b)) {
            const Array &from = std::get<Array>(a->data), &to = std::get<Array>(b->data);
            if (from.size() == to.size()) {
                for (std::size_t i = 0; i < from.size(); ++i)
                    compare(path + "[" + std::to_string(i) + "]", &from[i], &to[i], out);
                return;
            }
        }
    }
    out.push_back({path, text_a, text_b});
}

}  // namespace

std::vector<KeyDifference> config_differences(const Value& a, const Value& b) {
    Differences differences;
    compare("", &a, &b, differences);
    return differences;
}

std::string difference_text(const std::vector<KeyDifference>& differences) {
    std::string text;
    for (const KeyDifference& one : differences)
        text += (text.empty() ? "" : "; ") + one.key + ": " + one.a + " there, " + one.b + " here";
    return text;
}

}  // namespace whorl
