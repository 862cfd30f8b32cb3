// toml++ 3.3 breaks its own assertions on some broken input (a line that ends after "[" is one), which would abort a
// debug build and be undefined behaviour in a release build, where the same expressions become promises to the
// compiler. The parser goes on to report such input properly, so its assertions are made to do nothing. NDEBUG would
// make promises.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#ifdef __clang__
// toml++ 3.3 marks as unreachable what a letter such as U+00E9 behind a broken number reaches when it asks whether that
// is white space; every branch left to the compiler says no, rightly. The sanitizer need not stop for it.
#pragma clang attribute push(__attribute__((no_sanitize("unreachable"))), apply_to = function)
#endif
#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>  // 3.4 and later
#else
#include <toml++/toml.h>
#endif
#ifdef __clang__
#pragma clang attribute pop
#endif

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/toml_guard.hpp"
#include "core/config/value.hpp"

namespace whorl {
namespace {

[[noreturn]] void fail(const std::string& source, int line, const std::string& what) {
    throw UserError(one_line(source + ":" + std::to_string(line) + ": " + what));
}

int line_of(const toml::node& node) {
    return static_cast<int>(node.source().begin.line);
}

class TreeCopier {
public:
    explicit TreeCopier(const std::string& source) : source_(source) {}

    Value table(const toml::table& from, int line) const {
        Table members;
        for (const auto& [key, node] : from) {
            const int key_line = static_cast<int>(key.source().begin.line);
            members.push_back({std::string(key.str()), value(node, key_line > 0 ? key_line : line)});
        }
        // toml++ sorts by key; by line, errors come in the order of the file.
        std::stable_sort(members.begin(), members.end(),
                         [](const Member& a, const Member& b) { return a.value.line < b.value.line; });
        return {std::move(members), line};
    }

private:
    Value value(const toml::node& node, int line) const {
        if (const toml::table* nested = node.as_table()) return table(*nested, line);
        if (const toml::array* items = node.as_array()) return array(*items, line);
        if (const auto* flag = node.as_boolean()) return {flag->get(), line};
        if (const auto* integer = node.as_integer()) return {std::int64_t{integer->get()}, line};
        if (const auto* number = node.as_floating_point()) return {number->get(), line};
        if (const auto* text = node.as_string()) return {text->get(), line};
        fail(source_, line, "dates and times have no use here; write the value as a string");
    }

    Value array(const toml::array& from, int line) const {
        Array items;
        for (const toml::node& item : from) items.push_back(value(item, line_of(item) > 0 ? line_of(item) : line));
        return {std::move(items), line};
    }

    const std::string& source_;
};

}  // namespace

Document parse_toml(std::string_view text, const std::string& source) {
    if (text.size() > kMaxConfigBytes) throw UserError(one_line(source + ": larger than 1 MB"));
    guard_toml(text, source);
    try {
        return {TreeCopier(source).table(toml::parse(text), 1), source};
    } catch (const toml::parse_error& error) {
        fail(source, static_cast<int>(error.source().begin.line), std::string(error.description()));
    }
}

}  // namespace whorl
