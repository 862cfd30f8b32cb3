// The tape: what was read, what the right answer would be after every token, and what each model says.
#pragma once

#include <string>
#include <vector>

#include "viz/data/ask_now.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct TapeRow {
    std::string name;
    plot::Role role = plot::Role::ink;
    std::vector<std::string> said;  // a token; "" where nothing is asked
    std::vector<bool> right;
};

struct Tape {
    std::vector<std::string> tokens, right;  // `right` may be empty: no task
    std::vector<TapeRow> rows;
    std::size_t first = 0;                                    // of the tokens shown, the number of the first
    std::string name = "token", right_name = "right answer";  // of the first two rows
};

/// One exhibit's answers as a row; the last `most` tokens.
Tape tape_of(const Exhibit& exhibit, const AskedText& text, std::size_t most);
/// The same for a model whose task is not known: its tokens only.
Tape tape_of(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, std::size_t most);

plot::Panel tape_panel(const Tape& tape);

}  // namespace whorl::viz
