#include "app/cli/notes.hpp"

#include <cstdio>

#include "core/base/text.hpp"

namespace whorl::cli {

void print_notes(const std::vector<std::string>& notes) {
    for (const std::string& note : notes) std::fprintf(stderr, "whorl: %s\n", one_line(note).c_str());
}

Value notes_value(const std::vector<std::string>& notes) {
    Array items;
    for (const std::string& note : notes) items.emplace_back(note);
    return {std::move(items)};
}

}  // namespace whorl::cli
