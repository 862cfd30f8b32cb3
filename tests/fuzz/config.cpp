// Any text is either a valid config, which then survives being written and read again, or a UserError of one line.
// The first byte chooses the reader: 't' TOML, 'j' JSON, 's' an override; others are read as TOML from the start.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "tests/support/sample_config.hpp"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

whorl::Document read_document(std::string_view text) {
    const char kind = text.empty() ? ' ' : text.front();
    if (kind == 'j') return whorl::parse_json(text.substr(1), "input");
    if (kind == 't') return whorl::parse_toml(text.substr(1), "input");
    if (kind != 's') return whorl::parse_toml(text, "input");
    whorl::Document document = whorl::parse_toml("[[model.layers]]\ntype = 'rotating'\n", "input");
    apply_override(document, text.substr(1));
    return document;
}

// A tree without a config: whatever TOML can say, the writer can say again.
void check_tree(const whorl::Document& document) {
    const std::string text = whorl::write_toml(document.root);
    if (text.size() > whorl::kMaxConfigBytes) return;
    demand(whorl::write_toml(whorl::parse_toml(text, "written").root).size() == text.size());
}

void check_config(const whorl::Document& document) {
    const auto recipe = whorl::read_config<sample::Recipe>(document);
    const std::string text = whorl::to_toml(recipe);
    const auto again = whorl::read_config<sample::Recipe>(whorl::parse_toml(text, "written"));
    demand(again == recipe || std::isnan(recipe.bound));
    demand(whorl::to_toml(again) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const whorl::Document document = read_document(text);
        whorl::write_json(document.root);
        check_tree(document);
        check_config(document);
    } catch (const whorl::UserError& error) {
        const std::string message = error.what();
        demand(message.find('\n') == std::string::npos);
        demand(message.rfind("written", 0) != 0);  // our own text must read back
    }
    return 0;
}
