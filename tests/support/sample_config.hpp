// A config with every kind of field that the binding knows, for the tests and the fuzzer.
#pragma once

#include "core/config/config_binding.hpp"

namespace sample {

using whorl::EnumName;

enum class Shape { constant, linear, cosine };
constexpr auto enum_names(Shape) {
    return std::to_array<EnumName<Shape>>(
        {{Shape::constant, "constant"}, {Shape::linear, "linear"}, {Shape::cosine, "cosine"}});
}

struct LearningRate {
    double peak = 1e-3;
    double end = 0.0;
    Shape shape = Shape::cosine;
    bool operator==(const LearningRate&) const = default;
};
template <class V>
void describe(V& v, LearningRate& c) {
    v.field("peak", c.peak, whorl::above(0).at_most(1));
    v.field("end", c.end, whorl::at_least(0));
    v.field("shape", c.shape);
    v.require(c.end <= c.peak, "end", "must not exceed 'peak'");
}

struct Rotating {
    std::int64_t d_state = 64;
    double fraction = 1.0;
    std::int64_t angles() const { return static_cast<std::int64_t>(static_cast<double>(d_state) * fraction) / 2; }
    bool operator==(const Rotating&) const = default;
};
constexpr const char* config_type(const Rotating&) {
    return "rotating";
}
template <class V>
void describe(V& v, Rotating& c) {
    v.field("d_state", c.d_state, whorl::range(1, 1024));
    v.field("fraction", c.fraction, whorl::range(0, 1));
    v.derived("S", c.angles());
}

struct Averaging {
    double decay = 0.9;
    bool operator==(const Averaging&) const = default;
};
constexpr const char* config_type(const Averaging&) {
    return "averaging";
}
template <class V>
void describe(V& v, Averaging& c) {
    v.field("decay", c.decay, whorl::range(0, 1));
}

using Layer = std::variant<Rotating, Averaging>;

struct Model {
    std::int64_t d_model = 64;
    std::vector<Layer> layers;
    bool operator==(const Model&) const = default;
};
template <class V>
void describe(V& v, Model& c) {
    v.field("d_model", c.d_model, whorl::at_least(1));
    v.field("layers", c.layers);
}

struct Recipe {
    std::string name = "unnamed";
    std::int64_t seed = 0;
    std::int32_t workers = 1;
    bool resume = false;
    std::vector<double> betas = {0.9, 0.95};
    std::vector<bool> flags;
    std::vector<std::string> tags;
    std::vector<std::vector<std::int64_t>> grid;
    std::vector<Shape> shapes;
    std::optional<std::int64_t> warmup;
    double bound = std::numeric_limits<double>::infinity();
    LearningRate learning_rate;
    Model model;
    bool operator==(const Recipe&) const = default;
};
template <class V>
void describe(V& v, Recipe& c) {
    v.field("name", c.name);
    v.field("seed", c.seed);
    v.field("workers", c.workers, whorl::at_least(1));
    v.field("resume", c.resume);
    v.field("betas", c.betas, whorl::at_least(0).below(1));
    v.field("flags", c.flags);
    v.field("tags", c.tags);
    v.field("grid", c.grid);
    v.field("shapes", c.shapes);
    v.field("warmup", c.warmup, whorl::at_least(0));
    v.field("bound", c.bound, whorl::Limits{}.or_nonfinite());
    v.field("learning_rate", c.learning_rate);
    v.field("model", c.model);
}

}  // namespace sample
