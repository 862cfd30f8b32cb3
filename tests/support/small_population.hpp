// A population small enough that a test trains it in seconds.
#pragma once

#include <cstring>
#include <memory>

#include "core/backend/factories.hpp"
#include "core/training/trainer.hpp"
#include "tasks/registry.hpp"

namespace small {

using namespace whorl;

inline ModelConfig model(const char* preset = "mamba3") {
    PresetSize size;
    size.d_model = 16;
    size.d_state = 16;
    size.headdim = 8;
    size.vocab_size = 3;
    return model_preset(preset).make(size);
}

inline TrainingConfig training(std::int64_t steps = 12, std::int64_t batch = 6) {
    TrainingConfig config;
    config.steps = steps;
    config.batch = batch;
    config.curriculum = {CurriculumShape::linear, 6, 20, 0.5, {}, 0};
    return config;
}

inline std::vector<ReplicaHyper> replicas() {
    return {
        {3e-3, 0.1, 1, 11, {0.1, 1.0}, true}, {1e-2, 0.0, 2, 12, {0, 0}, true}, {1e-3, 0.5, 3, 13, {0.5, 0.6}, true}};
}

/// A trainer with everything it refers to.
struct Lab {
    std::unique_ptr<DataSource> data = make_data_source(Parity{});
    std::unique_ptr<Backend> backend;
    Trainer trainer;

    explicit Lab(const std::vector<ReplicaHyper>& population = replicas(), int threads = 1,
                 const TrainingConfig& config = training(), const char* preset = "mamba3")
        : backend(make_cpu_backend(threads)), trainer(config, model(preset), *data, population, *backend) {}
};

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}
inline bool same_bits(const PopulationValues& a, const PopulationValues& b) {
    return same_bits(a.parameters, b.parameters) && same_bits(a.first_moment, b.first_moment) &&
           same_bits(a.second_moment, b.second_moment);
}

/// The part of `all` that belongs to replica r of `count`.
inline std::vector<float> slice_of(const std::vector<float>& all, std::size_t r, std::size_t count) {
    const std::size_t size = all.size() / count;
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(r * size);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace small
