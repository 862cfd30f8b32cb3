#include "core/training/population.hpp"

#include <algorithm>
#include <numeric>

namespace whorl {
namespace {

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

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

Population::Population(const ParameterLayout& layout, const std::vector<ReplicaHyper>& replicas, Backend& backend,
                       std::int64_t group)
    : backend_(backend),
      replicas_(static_cast<std::int64_t>(replicas.size())),
      slice_(layout.slice()),
      order_(replicas.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (Tensor* tensor : {&parameters_, &first_moment_, &second_moment_}) *tensor = take(replicas_);
    gradient_ = take(group > 0 ? group : replicas_);
    mask_ = take(1);
    const std::vector<float> start = initial_parameters(layout, replicas), mask = training_mask(layout);
    backend_.upload(parameters_, start.data(), bytes_of(start));
    backend_.upload(mask_, mask.data(), bytes_of(mask));
}

// A slice is a whole number of 64-byte lines (ParameterLayout), so that rows need no further padding.
Tensor Population::take(std::int64_t replicas) {
    memory_.push_back(backend_.allocate(replicas * slice_ * kFloat));
    return activation_at(memory_.back().data(), {replicas, 1, 1, slice_}, DType::f32, backend_.device());
}

std::int64_t Population::bytes_a_replica(const ParameterLayout& layout) {
    constexpr std::int64_t kResident = 3, kCopies = 6;  // a snapshot, and its tensors by name
    return (kResident + kCopies) * layout.slice() * kFloat;
}

void Population::swap_rows(std::int64_t a, std::int64_t b) {
    if (a == b) return;
    std::vector<float> one(static_cast<std::size_t>(slice_)), other = one;
    for (const Tensor& tensor : {parameters_, first_moment_, second_moment_}) {
        const Tensor row_a = rows_of(tensor, a, 1), row_b = rows_of(tensor, b, 1);
        backend_.download(one.data(), row_a, slice_ * kFloat);
        backend_.download(other.data(), row_b, slice_ * kFloat);
        backend_.upload(row_a, other.data(), slice_ * kFloat);
        backend_.upload(row_b, one.data(), slice_ * kFloat);
    }
    std::swap(order_[static_cast<std::size_t>(a)], order_[static_cast<std::size_t>(b)]);
}

PopulationValues Population::values() const {
    PopulationValues values;
    const auto fetch = [&](const Tensor& from, std::vector<float>& to) {
        to.resize(static_cast<std::size_t>(replicas_ * slice_));
        for (std::int64_t row = 0; row < replicas_; ++row)
            backend_.download(to.data() + static_cast<std::int64_t>(replica_at(row)) * slice_, rows_of(from, row, 1),
                              slice_ * kFloat);
    };
    fetch(parameters_, values.parameters);
    fetch(first_moment_, values.first_moment);
    fetch(second_moment_, values.second_moment);
    return values;
}

std::vector<float> Population::parameters_of(std::size_t replica) const {
    const std::int64_t row = std::find(order_.begin(), order_.end(), replica) - order_.begin();
    std::vector<float> slice(static_cast<std::size_t>(slice_));
    backend_.download(slice.data(), rows_of(parameters_, row, 1), slice_ * kFloat);
    return slice;
}

void Population::set(const PopulationValues& values, std::vector<std::size_t> order) {
    order_ = std::move(order);
    const auto put = [&](const std::vector<float>& from, const Tensor& to) {
        for (std::int64_t row = 0; row < replicas_; ++row)
            backend_.upload(rows_of(to, row, 1), from.data() + static_cast<std::int64_t>(replica_at(row)) * slice_,
                            slice_ * kFloat);
    };
    put(values.parameters, parameters_);
    put(values.first_moment, first_moment_);
    put(values.second_moment, second_moment_);
}

}  // namespace whorl
