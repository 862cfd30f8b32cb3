// Ask now: after every token, how likely is the right answer if the question came at once? And how far is the state
// from what it would be had the text said something else?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct AskedModel {
    std::string name, about;
    plot::Role role = plot::Role::mamba3;
    std::vector<double> probability;  // of the right answer behind each token; NaN where nothing can be asked
    std::vector<bool> right;          // whether it is what the model says
    std::vector<double> distance;     // ‖h - h′‖/‖h‖ to the twin's state; empty: none was read
};

struct AskNowData {
    std::vector<AskedModel> models;
    double chance = 0.5;
    std::optional<std::size_t> needle{};  // position of what is asked for, from 1
    std::string needle_text = "needle";
    std::string question;                  // "QUERY 12", "the parity so far"
    std::optional<std::int64_t> cursor{};  // a position to mark, from 1
    std::string twin;                      // what the other text says instead; "" without one
};

plot::Figure ask_now_figure(const AskNowData& data);

/// Tokens from the needle (or the first question) on, up to the first behind which the model would answer wrongly; 0:
/// not even there.
std::size_t kept_for(const AskedModel& model, std::optional<std::size_t> needle);

}  // namespace whorl::viz
