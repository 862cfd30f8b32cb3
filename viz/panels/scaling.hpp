// Scaling: what does more state buy, and what does more text cost?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// Populations of one model at several sizes.
struct StateCurve {
    std::string name;
    plot::Role role = plot::Role::mamba3;
    std::vector<double> bytes;                  // of the state that one sequence carries, ascending
    std::vector<double> chosen;                 // scaled accuracy: what is joined by the line
    std::vector<std::vector<double>> replicas;  // of each population, all of them
};

/// Timings of one model's work at several lengths.
struct TimeCurve {
    std::string name;
    plot::Role role = plot::Role::mamba3;
    std::vector<double> lengths;  // tokens, ascending
    std::vector<double> ms;
};

struct ScalingData {
    std::string task;       // "parity, size 256"
    std::string chosen_is;  // "best replica by validation"
    std::string work;       // "a training step of 256 sequences, GPU, NVIDIA H100"
    std::vector<StateCurve> states;
    std::vector<TimeCurve> times;
};

/// A panel for each of the two that has curves. Throws UserError where neither has.
plot::Figure scaling_figure(const ScalingData& data);

/// p of time ∝ length^p by the curve's longer half; NaN below two lengths.
double growth(const TimeCurve& curve);

}  // namespace whorl::viz
