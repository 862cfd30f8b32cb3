#include "core/config/config_binding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

std::string bound(double value) {
    return fmt::format("{}", value);
}

std::string describe_limits(const Limits& l) {
    const bool low = std::isfinite(l.low);
    const bool high = std::isfinite(l.high);
    if (low && high)
        return fmt::format("in {}{}, {}{}", l.low_open ? "(" : "[", bound(l.low), bound(l.high),
                           l.high_open ? ")" : "]");
    if (low) return (l.low_open ? "above " : "at least ") + bound(l.low);
    return (l.high_open ? "below " : "at most ") + bound(l.high);
}

bool within(double value, const Limits& l) {
    const bool low_ok = l.low_open ? value > l.low : value >= l.low;
    const bool high_ok = l.high_open ? value < l.high : value <= l.high;
    return low_ok && high_ok;
}

[[noreturn]] void fail_kind(const Value& value, const Place& place, const char* expected) {
    fail_at(place, value.line, fmt::format("expected {}, found {}", expected, kind_name(value)));
}

template <class T>
const T& as(const Value& value, const Place& place, const char* expected) {
    if (const T* held = std::get_if<T>(&value.data)) return *held;
    fail_kind(value, place, expected);
}

void check_limits(double value, const std::string& shown, const Value& at, const Place& place, const Limits& limits) {
    if (!within(value, limits))
        fail_at(place, at.line, shown + " is out of range; expected a number " + describe_limits(limits));
}

}  // namespace

Place Place::child(std::string_view key) const {
    return {source, path.empty() ? std::string(key) : path + "." + std::string(key)};
}

Place Place::element(std::size_t index) const {
    return {source, path + "[" + std::to_string(index) + "]"};
}

void fail_at(const Place& place, int line, const std::string& what) {
    const std::string colon_path = place.path.empty() ? "" : place.path + ": ";
    if (line == kFromCommandLine) throw UserError(one_line("--set " + colon_path + what));
    const std::string where = line > 0 ? *place.source + ":" + std::to_string(line) : *place.source;
    throw UserError(one_line(where + ": " + colon_path + what));
}

namespace binding {

bool read_bool(const Value& value, const Place& place) {
    return as<bool>(value, place, "true or false");
}

std::int64_t read_integer(const Value& value, const Place& place, const Limits& limits, std::int64_t type_min,
                          std::int64_t type_max) {
    const std::int64_t number = as<std::int64_t>(value, place, "an integer");
    const std::string shown = std::to_string(number);
    check_limits(static_cast<double>(number), shown, value, place, limits);
    if (number < type_min || number > type_max)
        fail_at(place, value.line,
                fmt::format("{} is out of range; expected an integer in [{}, {}]", shown, type_min, type_max));
    return number;
}

double read_double(const Value& value, const Place& place, const Limits& limits) {
    const auto* integer = std::get_if<std::int64_t>(&value.data);
    const double number = integer ? static_cast<double>(*integer) : as<double>(value, place, "a number");
    if (!std::isfinite(number) && limits.finite)
        fail_at(place, value.line, fmt::format("{} is not allowed; expected a finite number", number));
    if (!std::isnan(number)) check_limits(number, bound(number), value, place, limits);
    return number;
}

const std::string& read_string(const Value& value, const Place& place) {
    return as<std::string>(value, place, "a string");
}

const Array& read_array(const Value& value, const Place& place) {
    return as<Array>(value, place, "an array");
}

std::size_t read_choice(const Value& value, const Place& place, const std::vector<std::string>& names) {
    const std::string& word = read_string(value, place);
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) fail_at(place, value.line, "unknown value " + in_quotes(word) + suggestion(word, names));
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace binding

ConfigReader::ConfigReader(const Value& table, Place place) : table_(&table), place_(std::move(place)) {
    as<Table>(table, place_, "a table");
}

const Value* ConfigReader::take(const char* key, bool needed) {
    known_.emplace_back(key);
    const Value* value = find(*table_, key);
    if (value == nullptr && needed) fail_at(place_.child(key), table_->line, "required key is missing");
    return value;
}

const Value* ConfigReader::take_earlier(const char* earlier, const char* key) {
    const Value *value = take(earlier, false), *newer = find(*table_, key);
    if (value == nullptr || newer == nullptr) return value;
    const bool typed = value->line == kFromCommandLine, newer_typed = newer->line == kFromCommandLine;
    if (typed == newer_typed)
        fail_at(place_.child(earlier), value->line, std::string("is the earlier spelling of '") + key + "'; give one");
    return typed ? value : nullptr;
}

void ConfigReader::require(bool holds, const char* key, const std::string& what) const {
    if (holds) return;
    const Value* value = find(*table_, key);
    fail_at(place_.child(key), value ? value->line : table_->line, what);
}

void ConfigReader::finish() const {
    for (const Member& member : std::get<Table>(table_->data)) {
        if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
        if (unknown_nulls_ && std::holds_alternative<std::monostate>(member.value.data)) continue;
        const std::string choices = suggestion(member.key, known_);
        fail_at(place_.child(member.key), member.value.line, "unknown key" + choices);
    }
}

}  // namespace whorl
