#include "viz/panels/tape.hpp"

#include <algorithm>

namespace whorl::viz {
namespace {

using namespace plot;

std::string joined(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens) {
    std::string text;
    for (const std::int32_t token : tokens) text += text_of(exhibit, token);
    return text;
}

std::size_t first_shown(std::size_t count, std::size_t most) {
    return count > most ? count - most : 0;
}

/// A row of texts at height `row` from above, named in the margin.
class RowWriter {
public:
    RowWriter(Panel& panel, double row) : panel_(panel), row_(row) {}
    void name(const std::string& text) { panel_.y.ticks.push_back({y(), text}); }
    void name(const std::string& text, Role role) {
        name(text);
        panel_.marks.push_back(Points{"swatch." + std::to_string(static_cast<int>(row_)), {{-0.66, y()}}, {role}});
    }
    void cell(std::size_t column, const std::string& text, Role role, bool boxed) {
        const std::string id = "cell." + std::to_string(static_cast<int>(row_)) + "." + std::to_string(column);
        panel_.marks.push_back(Text{id, {static_cast<double>(column), y()}, text, {role}, Anchor::center, boxed});
    }

private:
    double y() const { return -row_; }
    Panel& panel_;
    double row_;
};

}  // namespace

Tape tape_of(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, std::size_t most) {
    Tape tape;
    tape.first = first_shown(tokens.size(), most);
    for (std::size_t t = tape.first; t < tokens.size(); ++t) tape.tokens.push_back(text_of(exhibit, tokens[t]));
    return tape;
}

Tape tape_of(const Exhibit& exhibit, const AskedText& text, std::size_t most) {
    Tape tape = tape_of(exhibit, text.tokens, most);
    TapeRow row{exhibit.name, role_of(exhibit.config), {}, {}};
    for (std::size_t t = tape.first; t < text.tokens.size(); ++t) {
        const auto& answer = text.answers[t];
        tape.right.push_back(answer ? joined(exhibit, answer->right) : "");
        row.said.push_back(answer ? joined(exhibit, answer->said) : "");
        row.right.push_back(answer && answer->is_right());
    }
    tape.rows.push_back(std::move(row));
    return tape;
}

Panel tape_panel(const Tape& tape) {
    Panel panel;
    panel.id = "tape";
    panel.x.shown = false;
    panel.x.low = -0.82;
    panel.x.high = std::max(static_cast<double>(tape.tokens.size()), 6.0) - 0.4;
    double row = 0;
    RowWriter tokens(panel, row);
    tokens.name(tape.first > 0 ? tape.name + " " + std::to_string(tape.first + 1) + " …" : tape.name);
    for (std::size_t t = 0; t < tape.tokens.size(); ++t) tokens.cell(t, tape.tokens[t], Role::ink, true);
    if (!tape.right.empty()) {
        RowWriter right(panel, ++row);
        right.name(tape.right_name);
        for (std::size_t t = 0; t < tape.right.size(); ++t)
            if (!tape.right[t].empty()) right.cell(t, tape.right[t], Role::ink, false);
    }
    for (const TapeRow& model : tape.rows) {
        RowWriter said(panel, ++row);
        said.name(model.name, model.role);
        for (std::size_t t = 0; t < model.said.size(); ++t)
            if (!model.said[t].empty())
                said.cell(t, (model.right[t] ? model.said[t] + " ✓" : "**" + model.said[t] + " ✗**"),
                          model.right[t] ? Role::ink : Role::wrong, false);
    }
    panel.y.low = -row - 0.6;
    panel.y.high = 0.6;
    return panel;
}

}  // namespace whorl::viz
