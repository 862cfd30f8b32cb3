#include <algorithm>
#include <charconv>
#include <span>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"

namespace whorl {
namespace {

[[noreturn]] void fail(std::string_view path, const std::string& what) {
    throw UserError(one_line("--set " + std::string(path) + ": " + what));
}

// One step of a key path: a name, or an index in brackets.
struct Step {
    std::string name;
    bool is_index = false;
    bool all = false;  // [*]
    std::size_t index = 0;
};

Step parse_index(std::string_view text, std::string_view path) {
    Step step;
    step.is_index = true;
    step.all = text == "*";
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, step.index);
    if (!step.all && (text.empty() || error != std::errc{} || stop != end))
        fail(path, "expected a number or * in brackets, found " + in_quotes(text));
    return step;
}

// "layers[0].d_state" → layers, [0], d_state
std::vector<Step> parse_path(std::string_view path) {
    std::vector<Step> steps;
    std::string_view rest = path;
    while (true) {
        const std::size_t end = std::min(rest.find_first_of(".["), rest.size());
        if (end == 0) fail(path, "expected key.path=value");
        steps.push_back({std::string(rest.substr(0, end))});
        rest.remove_prefix(end);
        while (!rest.empty() && rest.front() == '[') {
            const std::size_t close = rest.find(']');
            if (close == std::string_view::npos) fail(path, "the bracket is not closed");
            steps.push_back(parse_index(rest.substr(1, close - 1), path));
            rest.remove_prefix(close + 1);
        }
        if (steps.size() > kMaxNesting) fail(path, "nested deeper than " + std::to_string(kMaxNesting) + " levels");
        if (rest.empty()) return steps;
        if (rest.front() != '.') fail(path, "expected a dot after the bracket");
        rest.remove_prefix(1);
    }
}

void mark_from_command_line(Value& value) {
    value.line = kFromCommandLine;
    if (auto* items = std::get_if<Array>(&value.data))
        for (Value& item : *items) mark_from_command_line(item);
    if (auto* members = std::get_if<Table>(&value.data))
        for (Member& member : *members) mark_from_command_line(member.value);
}

// True when the text is meant as TOML: it begins like a string, array, table or number, or is a TOML word. Otherwise it
// is a bare word, so that a shell needs no inner quotes: --set task.name=parity.
bool looks_like_toml(std::string_view text) {
    if (text == "true" || text == "false" || text == "inf" || text == "nan") return true;
    return !text.empty() && std::string_view("\"'[{+-.0123456789").find(text.front()) != std::string_view::npos;
}

bool is_toml_value(const std::string& text) {
    try {
        parse_toml("value = " + text, "");
        return true;
    } catch (const UserError&) {
        return false;
    }
}

// People write lists as they do elsewhere: 1e-3,1e-4.
std::string list_hint(std::string_view text) {
    const std::string list = "[" + std::string(text) + "]";
    const bool meant = text.find(',') != std::string_view::npos && is_toml_value(list);
    return meant ? "; a list stands in brackets: " + in_quotes(list) : "";
}

Value parse_value(std::string_view text, std::string_view path) {
    if (text.empty()) fail(path, "no value after '='");
    if (!valid_utf8(text)) fail(path, "the value is not valid UTF-8");
    if (!looks_like_toml(text)) return {std::string(text), kFromCommandLine};
    if (text.find('\n') != std::string_view::npos) fail(path, "the value must be on one line");
    try {
        Document document = parse_toml("value = " + std::string(text), "");
        mark_from_command_line(document.root);
        return std::move(std::get<Table>(document.root.data).front().value);
    } catch (const UserError&) {
        fail(path, in_quotes(text) + " is not a TOML value" + list_hint(text));
    }
}

using Steps = std::span<const Step>;

void assign(Value& target, Steps steps, const Value& value, std::string_view path);

void assign_element(Value& target, Steps steps, const Value& value, std::string_view path) {
    auto* items = std::get_if<Array>(&target.data);
    if (items == nullptr) fail(path, std::string("has an index where there is ") + kind_name(target));
    const Step& step = steps.front();
    if (!step.all && step.index >= items->size())
        fail(path, "index " + std::to_string(step.index) + " is out of range; the array has " +
                       std::to_string(items->size()) + " elements");
    for (std::size_t i = 0; i < items->size(); ++i)
        if (step.all || i == step.index) assign((*items)[i], steps.subspan(1), value, path);
}

void assign_member(Value& target, Steps steps, const Value& value, std::string_view path) {
    auto* members = std::get_if<Table>(&target.data);
    const std::string& name = steps.front().name;
    if (members == nullptr) fail(path, "has the key " + in_quotes(name) + " where there is " + kind_name(target));
    auto found = std::find_if(members->begin(), members->end(), [&](const Member& m) { return m.key == name; });
    if (found == members->end()) {
        const bool index_next = steps.size() > 1 && steps[1].is_index;
        if (index_next) fail(path, "there is no array " + in_quotes(name) + " to index");
        found = members->insert(members->end(), {name, {Table{}, kFromCommandLine}});
    }
    assign(found->value, steps.subspan(1), value, path);
}

void assign(Value& target, Steps steps, const Value& value, std::string_view path) {
    if (steps.empty())
        target = value;
    else if (steps.front().is_index)
        assign_element(target, steps, value, path);
    else
        assign_member(target, steps, value, path);
}

}  // namespace

void apply_override(Document& document, std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    const std::string_view path = assignment.substr(0, equals);
    if (equals == std::string_view::npos || path.empty()) fail(assignment, "expected key.path=value");
    if (!valid_utf8(path)) fail(path, "the key is not valid UTF-8");
    const Value value = parse_value(assignment.substr(equals + 1), path);
    assign(document.root, parse_path(path), value, path);
}

void apply_override(Document& document, std::string_view path, Value value) {
    if (path.empty()) fail(path, "expected a key path");
    mark_from_command_line(value);
    assign(document.root, parse_path(path), value, path);
}

}  // namespace whorl
