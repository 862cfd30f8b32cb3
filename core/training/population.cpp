#include "core/training/population.hpp"

namespace whorl {
namespace {

std::vector<float> initial_parameters(const ParameterLayout& layout, const std::vector<ReplicaHyper>& replicas) {
    std::vector<float> values;
    std::vector<double> slice(static_cast<std::size_t>(layout.slice()));
    for (const ReplicaHyper& replica : replicas) {
        initialize(layout, {replica.init_seed, replica.dt.min, replica.dt.max}, slice.data());
        for (const double value : slice) values.push_back(static_cast<float>(value));
    }
    return values;
}

std::vector<float> training_mask(const ParameterLayout& layout) {
    std::vector<float> mask(static_cast<std::size_t>(layout.slice()), 0.0F);
    for (const ParameterInfo& parameter : layout.parameters()) {
        const auto first = mask.begin() + parameter.offset;
        std::fill(first, first + parameter.count, !parameter.trainable ? 0.0F : parameter.decay ? 2.0F : 1.0F);
    }
    return mask;
}

std::int64_t bytes_of(const std::vector<float>& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(float));
}

}  // namespace

Population::Population(const ParameterLayout& layout, const std::vector<ReplicaHyper>& replicas, Backend& backend)
    : backend_(backend), replicas_(static_cast<std::int64_t>(replicas.size())), slice_(layout.slice()) {
    for (Tensor* tensor : {&parameters_, &gradient_, &first_moment_, &second_moment_}) *tensor = take(replicas_);
    mask_ = take(1);
    const std::vector<float> start = initial_parameters(layout, replicas), mask = training_mask(layout);
    backend_.upload(parameters_, start.data(), bytes_of(start));
    backend_.upload(mask_, mask.data(), bytes_of(mask));
}

// A slice is a whole number of 64-byte lines (ParameterLayout), so that rows need no further padding.
Tensor Population::take(std::int64_t replicas) {
    memory_.push_back(backend_.allocate(replicas * slice_ * static_cast<std::int64_t>(sizeof(float))));
    return activation_at(memory_.back().data(), {replicas, 1, 1, slice_}, DType::f32, backend_.device());
}

void Population::zero_gradient() {
    backend_.zero(gradient_, replicas_ * slice_ * static_cast<std::int64_t>(sizeof(float)));
}

PopulationValues Population::values() const {
    PopulationValues values;
    const auto fetch = [&](const Tensor& from, std::vector<float>& to) {
        to.resize(static_cast<std::size_t>(replicas_ * slice_));
        backend_.download(to.data(), from, bytes_of(to));
    };
    fetch(parameters_, values.parameters);
    fetch(first_moment_, values.first_moment);
    fetch(second_moment_, values.second_moment);
    return values;
}

void Population::set(const PopulationValues& values) {
    backend_.upload(parameters_, values.parameters.data(), bytes_of(values.parameters));
    backend_.upload(first_moment_, values.first_moment.data(), bytes_of(values.first_moment));
    backend_.upload(second_moment_, values.second_moment.data(), bytes_of(values.second_moment));
}

}  // namespace whorl
