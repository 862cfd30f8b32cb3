#include <fmt/format.h>

#include <cmath>

#include "core/config/value.hpp"

namespace whorl {
namespace {

// Valid as a string in JSON and as a basic string in TOML.
std::string string_literal(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += {'\\', c};
        else if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            result += fmt::format("\\u{:04x}", static_cast<int>(c));
        else
            result += c;
    }
    return result + "\"";
}

// The shortest decimal that reads back to the same bits, always recognisable as a floating-point number.
std::string number(double value) {
    std::string text = fmt::format("{}", value);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

bool is_null(const Value& value) {
    return std::holds_alternative<std::monostate>(value.data);
}
bool is_table(const Value& value) {
    return std::holds_alternative<Table>(value.data);
}

bool is_array_of_tables(const Value& value) {
    const Array* items = std::get_if<Array>(&value.data);
    if (items == nullptr || items->empty()) return false;
    for (const Value& item : *items)
        if (!is_table(item)) return false;
    return true;
}

class TomlWriter {
public:
    std::string take() { return std::move(out_); }

    void table(const Table& members, const std::string& path) {
        for (const Member& m : members)
            if (!is_null(m.value) && !is_table(m.value) && !is_array_of_tables(m.value))
                out_ += key(m.key) + " = " + inline_value(m.value) + "\n";
        for (const Member& m : members) sub_tables(m, path.empty() ? key(m.key) : path + "." + key(m.key));
    }

private:
    void sub_tables(const Member& member, const std::string& path) {
        if (is_array_of_tables(member.value))
            for (const Value& item : std::get<Array>(member.value.data)) headed(item, "[[" + path + "]]", path);
        if (is_table(member.value)) headed(member.value, "[" + path + "]", path);
    }

    void headed(const Value& value, const std::string& header, const std::string& path) {
        out_ += (out_.empty() ? "" : "\n") + header + "\n";
        table(std::get<Table>(value.data), path);
    }

    static std::string key(const std::string& key) {
        constexpr std::string_view bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
        const bool plain = !key.empty() && key.find_first_not_of(bare) == std::string::npos;
        return plain ? key : string_literal(key);
    }

    static std::string inline_value(const Value& value) {
        if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
        if (const auto* integer = std::get_if<std::int64_t>(&value.data)) return std::to_string(*integer);
        if (const auto* real = std::get_if<double>(&value.data)) return number(*real);
        if (const auto* text = std::get_if<std::string>(&value.data)) return string_literal(*text);
        std::string list;
        if (const auto* items = std::get_if<Array>(&value.data)) {
            for (const Value& item : *items)
                if (!is_null(item)) list += (list.empty() ? "" : ", ") + inline_value(item);
            return "[" + list + "]";
        }
        for (const Member& m : std::get<Table>(value.data))
            if (!is_null(m.value)) list += (list.empty() ? "" : ", ") + key(m.key) + " = " + inline_value(m.value);
        return "{" + list + "}";
    }

    std::string out_;
};

class JsonWriter {
public:
    explicit JsonWriter(int indent) : indent_(indent) {}

    std::string take() { return std::move(out_); }

    void value(const Value& value, int depth) {
        if (const auto* flag = std::get_if<bool>(&value.data))
            out_ += *flag ? "true" : "false";
        else if (const auto* integer = std::get_if<std::int64_t>(&value.data))
            out_ += std::to_string(*integer);
        else if (const auto* real = std::get_if<double>(&value.data))
            out_ += std::isfinite(*real) ? number(*real) : "null";
        else if (const auto* text = std::get_if<std::string>(&value.data))
            out_ += string_literal(*text);
        else if (const auto* items = std::get_if<Array>(&value.data))
            array(*items, depth);
        else if (const auto* members = std::get_if<Table>(&value.data))
            table(*members, depth);
        else
            out_ += "null";
    }

private:
    void array(const Array& items, int depth) {
        out_ += '[';
        for (std::size_t i = 0; i < items.size(); ++i) {
            separate(i, depth + 1);
            value(items[i], depth + 1);
        }
        close(items.empty(), ']', depth);
    }

    void table(const Table& members, int depth) {
        out_ += '{';
        for (std::size_t i = 0; i < members.size(); ++i) {
            separate(i, depth + 1);
            out_ += string_literal(members[i].key) + (indent_ > 0 ? ": " : ":");
            value(members[i].value, depth + 1);
        }
        close(members.empty(), '}', depth);
    }

    void separate(std::size_t index, int depth) {
        if (index > 0) out_ += ',';
        new_line(depth);
    }
    void close(bool empty, char bracket, int depth) {
        if (!empty) new_line(depth);
        out_ += bracket;
    }
    void new_line(int depth) {
        if (indent_ > 0) out_ += "\n" + std::string(static_cast<std::size_t>(indent_ * depth), ' ');
    }

    int indent_;
    std::string out_;
};

}  // namespace

std::string write_toml(const Value& table) {
    TomlWriter writer;
    writer.table(std::get<Table>(table.data), "");
    return writer.take();
}

std::string write_json(const Value& value, int indent) {
    JsonWriter writer(indent);
    writer.value(value, 0);
    return writer.take();
}

}  // namespace whorl
