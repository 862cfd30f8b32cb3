// Config structs ⇄ TOML and JSON, from one description of each struct.
//
// A struct is described once, next to its definition, for reader and writer alike:
//
//     template <class V>
//     void describe(V& v, LearningRate& c) {
//         v.field("peak", c.peak, above(0).at_most(1));
//         v.field("shape", c.shape);                                   // an enum with enum_names, below
//         v.require(c.end <= c.peak, "end", "must not exceed 'peak'");
//     }
//     constexpr auto enum_names(Shape) {
//         return std::to_array<EnumName<Shape>>({{Shape::cosine, "cosine"}, {Shape::constant, "constant"}});
//     }
//
// Fields may be bool, integers, double, std::string, enums, described structs (tables), std::vector and std::optional
// of these, `Value` (any subtree, as it is), and std::variant of described structs, which the key `type` selects by
// the name that `constexpr const char* config_type(const Mamba3Config&) { return "mamba3"; }` gives each. A type that
// people may write in several ways brings `read_value(value, place, target, limits)` and `write_value(source)` instead.
// A key that is absent leaves the field as it was, so defaults live in the struct.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/config/value.hpp"

namespace whorl {

template <class E>
struct EnumName {
    E value;
    const char* name;
};

/// What a field accepts. For a vector, limits hold for each element. Doubles must be finite unless `or_nonfinite`.
struct Limits {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_open = false;
    bool high_open = false;
    bool finite = true;
    bool needed = false;

    constexpr Limits at_most(double bound) const {
        return with([&](Limits& l) { l.high = bound; });
    }
    constexpr Limits below(double bound) const {
        return with([&](Limits& l) { l.high = bound, l.high_open = true; });
    }
    constexpr Limits or_nonfinite() const {
        return with([](Limits& l) { l.finite = false; });
    }
    constexpr Limits required() const {
        return with([](Limits& l) { l.needed = true; });
    }

private:
    template <class Change>
    constexpr Limits with(Change change) const {
        Limits copy = *this;
        change(copy);
        return copy;
    }
};

constexpr Limits at_least(double low) {
    Limits l;
    l.low = low;
    return l;
}
constexpr Limits above(double low) {
    Limits l = at_least(low);
    l.low_open = true;
    return l;
}
constexpr Limits at_most(double high) {
    return Limits{}.at_most(high);
}
constexpr Limits below(double high) {
    return Limits{}.below(high);
}
constexpr Limits range(double low, double high) {
    return at_least(low).at_most(high);
}
constexpr Limits required() {
    return Limits{}.required();
}

/// Where a value stands: the file's name and the dotted key path, such as `model.layers[0].d_state`.
struct Place {
    const std::string* source;
    std::string path;

    Place child(std::string_view key) const;
    Place element(std::size_t index) const;
};

/// Throws UserError: `source:line: path: what`, or `--set path: what` for a value from the command line.
[[noreturn]] void fail_at(const Place& place, int line, const std::string& what);

namespace binding {

bool read_bool(const Value& value, const Place& place);
std::int64_t read_integer(const Value& value, const Place& place, const Limits& limits, std::int64_t type_min,
                          std::int64_t type_max);
double read_double(const Value& value, const Place& place, const Limits& limits);
const std::string& read_string(const Value& value, const Place& place);
const Array& read_array(const Value& value, const Place& place);
/// The position of the string in `names`.
std::size_t read_choice(const Value& value, const Place& place, const std::vector<std::string>& names);

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... Ts>
struct IsVariant<std::variant<Ts...>> : std::true_type {};

template <class E>
std::vector<std::string> choice_names() {
    std::vector<std::string> names;
    for (const auto& entry : enum_names(E{})) names.emplace_back(entry.name);
    return names;
}

template <class... Ts>
std::vector<std::string> type_names(const std::variant<Ts...>&) {
    return {config_type(Ts{})...};
}

}  // namespace binding

/// The name of an enum's value, as configs spell it.
template <class E>
const char* name_of(E value) {
    for (const auto& entry : enum_names(E{}))
        if (entry.value == value) return entry.name;
    return "?";
}

/// Reads the members of one table into a struct; made by read_config.
class ConfigReader {
public:
    /// Throws UserError when `table` is not a table.
    ConfigReader(const Value& table, Place place);

    template <class T>
    void field(const char* key, T& target, const Limits& limits = {}) {
        const Value* value = take(key, limits.needed);
        if (value != nullptr) read(*value, place_.child(key), target, limits);
    }

    /// An earlier spelling of `key`, which has been asked for already: still read, never written. One of the two that
    /// came from the command line wins; otherwise giving both is an error.
    template <class T>
    void renamed(const char* earlier, const char* key, T& target, const Limits& limits = {}) {
        const Value* value = take_earlier(earlier, key);
        if (value != nullptr) read(*value, place_.child(earlier), target, limits);
    }

    /// A key that other keys determine: it may be present (older or foreign files) but then must agree; never written.
    template <class T>
    void derived(const char* key, const T& expected) {
        T found = expected;
        field(key, found);
        require(found == expected, key, "contradicts the other keys");
    }

    /// Unknown keys are passed over where their value is null: other programs write null for what is not in use.
    void allow_unknown_nulls() { unknown_nulls_ = true; }

    /// A rule between fields. Fails at `key` with `what` unless `holds`.
    void require(bool holds, const char* key, const std::string& what) const;

    /// Throws UserError for the first key that no field() asked for.
    void finish() const;

    template <class T>
    static void read(const Value& value, const Place& place, T& target, const Limits& limits = {});

private:
    const Value* take(const char* key, bool needed);
    const Value* take_earlier(const char* earlier, const char* key);
    template <class V>
    static void read_variant(const Value& value, const Place& place, V& target);

    const Value* table_;
    Place place_;
    bool unknown_nulls_ = false;
    std::vector<std::string> known_;
};

/// Collects the fields of a struct, in declared order, into a table; made by to_value.
class ConfigWriter {
public:
    template <class T>
    void field(const char* key, const T& source, const Limits& = {}) {
        table_.push_back({key, write(source)});
    }
    template <class T>
    void renamed(const char*, const char*, const T&, const Limits& = {}) {}
    template <class T>
    void derived(const char*, const T&) {}
    void require(bool, const char*, const std::string&) const {}

    template <class T>
    static Value write(const T& source);

    Table take() { return std::move(table_); }

private:
    Table table_;
};

template <class T>
concept Described = requires(ConfigReader& reader, T& target) {
    describe(reader, target);
};

template <class T>
concept ReadsItself = requires(const Value& value, const Place& place, T& target, const Limits& limits) {
    read_value(value, place, target, limits);
    write_value(target);
};

template <class T>
void ConfigReader::read(const Value& value, const Place& place, T& target, const Limits& limits) {
    using namespace binding;
    if constexpr (std::is_same_v<T, Value>) {
        target = value;
    } else if constexpr (ReadsItself<T>) {
        read_value(value, place, target, limits);
    } else if constexpr (std::is_same_v<T, bool>) {
        target = read_bool(value, place);
    } else if constexpr (std::is_integral_v<T>) {
        static_assert(sizeof(T) < 8 || std::is_signed_v<T>, "TOML integers are signed: use std::int64_t");
        target = static_cast<T>(read_integer(value, place, limits, std::numeric_limits<T>::min(),
                                             static_cast<std::int64_t>(std::numeric_limits<T>::max())));
    } else if constexpr (std::is_same_v<T, double>) {
        target = read_double(value, place, limits);
    } else if constexpr (std::is_same_v<T, std::string>) {
        target = read_string(value, place);
    } else if constexpr (std::is_enum_v<T>) {
        target = enum_names(T{})[read_choice(value, place, choice_names<T>())].value;
    } else if constexpr (IsVector<T>::value) {
        const Array& items = read_array(value, place);
        target.clear();
        for (std::size_t i = 0; i < items.size(); ++i) {
            typename T::value_type item{};
            read(items[i], place.element(i), item, limits);
            target.push_back(std::move(item));
        }
    } else if constexpr (IsOptional<T>::value) {
        target.reset();
        if (!std::holds_alternative<std::monostate>(value.data)) read(value, place, target.emplace(), limits);
    } else if constexpr (IsVariant<T>::value) {
        read_variant(value, place, target);
    } else {
        static_assert(Described<T>, "this field type has no describe(V&, T&)");
        ConfigReader reader(value, place);
        describe(reader, target);
        reader.finish();
    }
}

template <class V>
void ConfigReader::read_variant(const Value& value, const Place& place, V& target) {
    ConfigReader reader(value, place);
    const Value* type = reader.take("type", true);
    const std::size_t wanted = binding::read_choice(*type, place.child("type"), binding::type_names(target));
    auto try_alternative = [&](auto index) {
        if (index != wanted) return;
        if (target.index() != wanted) target.template emplace<index>();
        describe(reader, std::get<index>(target));
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (try_alternative(std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::make_index_sequence<std::variant_size_v<V>>{});
    reader.finish();
}

template <class T>
Value ConfigWriter::write(const T& source) {
    using namespace binding;
    // describe takes a reference to non-const because it serves the reader too; the writer only reads through it.
    auto& target = const_cast<T&>(source);
    if constexpr (std::is_same_v<T, Value>) {
        return source;
    } else if constexpr (ReadsItself<T>) {
        return write_value(source);
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        return {static_cast<std::int64_t>(source)};
    } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, double> || std::is_same_v<T, std::string>) {
        return {source};
    } else if constexpr (std::is_enum_v<T>) {
        return {std::string(name_of(source))};
    } else if constexpr (IsVector<T>::value) {
        Array items;
        for (const typename T::value_type& item : source) items.push_back(write(item));
        return {std::move(items)};
    } else if constexpr (IsOptional<T>::value) {
        return source ? write(*source) : Value{};
    } else if constexpr (IsVariant<T>::value) {
        return std::visit(
            [](const auto& alternative) {
                Value value = write(alternative);
                auto& table = std::get<Table>(value.data);
                table.insert(table.begin(), {"type", {std::string(config_type(alternative))}});
                return value;
            },
            source);
    } else {
        ConfigWriter writer;
        describe(writer, target);
        return {writer.take()};
    }
}

/// Reads a whole document over the defaults in `config`. Throws UserError: unknown, ill-typed, out-of-range, missing.
template <class Config>
void read_config(const Document& document, Config& config) {
    ConfigReader::read(document.root, Place{&document.source, ""}, config);
}

template <class Config>
Config read_config(const Document& document) {
    Config config{};
    read_config(document, config);
    return config;
}

/// Every field in declared order; read_config gives the same struct back.
template <class Config>
Value to_value(const Config& config) {
    return ConfigWriter::write(config);
}

template <class Config>
std::string to_toml(const Config& config) {
    return write_toml(to_value(config));
}

template <class Config>
std::string to_json(const Config& config, int indent = 0) {
    return write_json(to_value(config), indent);
}

}  // namespace whorl
