#include "viz/lessons/glossary.hpp"

#include "core/base/error.hpp"
#include "core/config/value.hpp"

namespace whorl::viz {
namespace {

void add_words(Glossary& glossary, const Value& words) {
    if (std::holds_alternative<std::monostate>(words.data)) return;
    const auto* table = std::get_if<Table>(&words.data);
    if (table == nullptr) throw UserError("gloss: expected a table, such as hinge = \"where …\"");
    for (const Member& word : *table) {
        const auto* line = std::get_if<std::string>(&word.value.data);
        if (line == nullptr) throw UserError("gloss." + word.key + ": expected a text");
        glossary[word.key] = *line;
    }
}

}  // namespace

const Glossary& shared_glossary() {
    static const Glossary glossary = [] {
        Glossary words;
        add_words(words, parse_toml(kGlossaryText, "glossary.toml").root);
        return words;
    }();
    return glossary;
}

Glossary glossary_with(const Value& own) {
    Glossary glossary = shared_glossary();
    add_words(glossary, own);
    return glossary;
}

}  // namespace whorl::viz
