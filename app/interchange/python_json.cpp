#include "app/interchange/python_json.hpp"

#include <limits>

namespace whorl::interchange {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Word {
    std::string_view text;
    double value;
};
constexpr Word kWords[] = {
    {"-Infinity", -kInfinity}, {"Infinity", kInfinity}, {"NaN", std::numeric_limits<double>::quiet_NaN()}};

// Stands before a word that was made a string for the parser's sake. No config's own text begins with a zero byte.
constexpr std::string_view kMarkInText = "\\u0000", kMark = std::string_view("\0", 1);

/// The word that `text` begins with, or nullptr.
const Word* word_at(std::string_view text) {
    for (const Word& word : kWords)
        if (text.substr(0, word.text.size()) == word.text) return &word;
    return nullptr;
}

/// The text with each word outside strings as a marked string.
std::string with_marked_words(std::string_view text) {
    std::string marked;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const Word* word = in_string ? nullptr : word_at(text.substr(i));
        if (word != nullptr) {
            marked.append("\"").append(kMarkInText).append(word->text).append("\"");
            i += word->text.size() - 1;
            continue;
        }
        marked += text[i];
        if (text[i] == '"') in_string = !in_string;
        if (in_string && text[i] == '\\' && i + 1 < text.size()) marked += text[++i];
    }
    return marked;
}

void unmark(Value& value) {
    if (auto* array = std::get_if<Array>(&value.data))
        for (Value& item : *array) unmark(item);
    else if (auto* table = std::get_if<Table>(&value.data))
        for (Member& member : *table) unmark(member.value);
    else if (const auto* held = std::get_if<std::string>(&value.data); held && held->rfind(kMark, 0) == 0)
        if (const Word* word = word_at(std::string_view(*held).substr(kMark.size()))) value.data = word->value;
}

}  // namespace

Document parse_python_json(std::string_view text, const std::string& source) {
    Document document = parse_json(with_marked_words(text), source);
    unmark(document.root);
    return document;
}

}  // namespace whorl::interchange
