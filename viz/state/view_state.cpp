#include "viz/state/view_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

constexpr const char* kScheme = "whorl:1?";
constexpr std::int64_t kFurthestCursor = 1 << 20;

// --- values as text --------------------------------------------------------------------------------------------------

bool is_plain(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.' || c == '~' || c == '/';
}

std::string encoded(const std::string& text) {
    constexpr const char* digits = "0123456789ABCDEF";
    std::string result;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (is_plain(byte))
            result += letter;
        else
            result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return result;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::string decoded(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        if (!escape) {
            result += text[i];
            continue;
        }
        result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
        i += 2;
    }
    return result;
}

[[noreturn]] void refuse(const std::string& field, const std::string& value, const std::string& expected) {
    throw UserError(one_line("link: " + field + "=" + value + ": expected " + expected));
}

std::int64_t whole(const std::string& field, const std::string& value) {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || stop != value.data() + value.size() || number < -1 || number > kFurthestCursor)
        refuse(field, value, "a position, or -1 for the end");
    return number;
}

double factor(const std::string& field, const std::string& value) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0' || !(number >= 0.5 && number <= 4)) refuse(field, value, "0.5 to 4");
    return number;
}

bool yes(const std::string& field, const std::string& value) {
    if (value != "1" && value != "0") refuse(field, value, "1 or 0");
    return value == "1";
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ",") + encoded(part);
    return text;
}

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(by, begin), text.size());
        if (end > begin) parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// --- fields ----------------------------------------------------------------------------------------------------------

/// How one field is written and read; `write` returns "" for the default.
struct Field {
    const char* name;
    std::string (*write)(const ViewState&);
    void (*read)(ViewState&, const std::string& value);
};

const ViewState kDefault{};

template <std::string ViewState::*Member>
std::string write_text(const ViewState& state) {
    return state.*Member == kDefault.*Member ? "" : state.*Member;
}
template <std::string ViewState::*Member>
void read_text(ViewState& state, const std::string& value) {
    state.*Member = value.empty() ? kDefault.*Member : value;
}

/// Each encoded once more, as a name may hold a comma.
void read_models(ViewState& state, const std::string& value) {
    state.models = split(value, ',');
    for (std::string& model : state.models) model = decoded(model);
}

const std::vector<Field>& fields() {
    static const std::vector<Field> all = {
        {"view", write_text<&ViewState::view>, read_text<&ViewState::view>},
        {"models", [](const ViewState& s) { return joined(s.models); }, read_models},
        {"text", write_text<&ViewState::text>, read_text<&ViewState::text>},
        {"cursor", [](const ViewState& s) { return s.cursor == -1 ? "" : std::to_string(s.cursor); },
         [](ViewState& s, const std::string& value) { s.cursor = whole("cursor", value); }},
        {"beat", [](const ViewState& s) { return s.beat == 0 ? "" : std::to_string(s.beat); },
         [](ViewState& s, const std::string& value) { s.beat = std::clamp<std::int64_t>(whole("beat", value), 0, 3); }},
        {"moment", [](const ViewState& s) { return s.moment < 0 ? "" : std::to_string(s.moment); },
         [](ViewState& s, const std::string& value) { s.moment = whole("moment", value); }},
        {"beside", write_text<&ViewState::beside>, read_text<&ViewState::beside>},
        {"difference", [](const ViewState& s) { return std::string(s.difference ? "1" : ""); },
         [](ViewState& s, const std::string& value) { s.difference = yes("difference", value); }},
        {"predicted", write_text<&ViewState::predicted>, read_text<&ViewState::predicted>},
        {"shown", [](const ViewState& s) { return std::string(s.shown ? "1" : ""); },
         [](ViewState& s, const std::string& value) { s.shown = yes("shown", value); }},
        {"x", write_text<&ViewState::x>, read_text<&ViewState::x>},
        {"y", write_text<&ViewState::y>, read_text<&ViewState::y>},
        {"colour", write_text<&ViewState::colour>, read_text<&ViewState::colour>},
        {"filter", write_text<&ViewState::filter>, read_text<&ViewState::filter>},
        {"sort", write_text<&ViewState::sort>, read_text<&ViewState::sort>},
        {"lesson", write_text<&ViewState::lesson>, read_text<&ViewState::lesson>},
        {"step", [](const ViewState& s) { return s.step == 1 ? "" : std::to_string(s.step); },
         [](ViewState& s, const std::string& value) { s.step = std::max<std::int64_t>(1, whole("step", value)); }},
        {"answer", write_text<&ViewState::answer>, read_text<&ViewState::answer>},
        {"theme", write_text<&ViewState::theme>, read_text<&ViewState::theme>},
        {"scale", [](const ViewState& s) { return s.scale == 1 ? "" : fmt::format("{}", s.scale); },
         [](ViewState& s, const std::string& value) { s.scale = factor("scale", value); }},
    };
    return all;
}

const Field* find_field(const std::string& name) {
    for (const Field& field : fields())
        if (name == field.name) return &field;
    return nullptr;
}

}  // namespace

std::string key_of(const ViewState& state) {
    std::string link = kScheme;
    for (const Field& field : fields()) {
        const std::string value = field.write(state);
        if (!value.empty()) link += (link.back() == '?' ? "" : "&") + std::string(field.name) + "=" + encoded(value);
    }
    for (const auto& [name, value] : state.settings)
        link += (link.back() == '?' ? "" : "&") + name + "=" + encoded(written(*find_control(name), value));
    return link;
}

std::string link_of(const ViewState& state) {
    std::string link = key_of(state);
    if (link.size() > kLongestLink)
        throw UserError("the link would take " + std::to_string(link.size()) + " bytes, more than " +
                        std::to_string(kLongestLink) + ": the text is too long for one");
    return link;
}

ReadLink read_link(const std::string& link) {
    if (link.size() > kLongestLink) throw UserError("link: longer than " + std::to_string(kLongestLink) + " bytes");
    return read_key(link);
}

ReadLink read_key(const std::string& link) {
    const std::string scheme = kScheme;
    if (link.compare(0, scheme.size(), scheme) != 0)
        throw UserError(one_line("link " + in_quotes(link.substr(0, 32)) + ": expected " + scheme + "…"));
    ReadLink result;
    std::vector<std::pair<const Control*, double>> settings;
    for (const std::string& part : split(link.substr(scheme.size()), '&')) {
        const std::size_t equals = std::min(part.find('='), part.size());
        const std::string name = part.substr(0, equals);
        const Field* field = find_field(name);
        const std::string value = decoded(part.substr(std::min(equals + 1, part.size())));
        if (const Control* control = find_control(name))
            settings.emplace_back(control, read_control(*control, value));
        else if (field == nullptr)
            result.notes.push_back(one_line("link: this version does not know " + in_quotes(name)));
        else
            field->read(result.state, value);
    }
    result.state = with_values(std::move(result.state), std::move(settings));
    if (!result.state.beside.empty()) read_key(result.state.beside);  // throws here rather than where it is shown
    return result;
}

}  // namespace whorl::viz
