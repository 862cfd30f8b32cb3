// The numbers that training changes: parameters, gradients and moments of all replicas, one flat slice each.
#pragma once

#include <vector>

#include "core/backend/backend.hpp"
#include "core/model/parameter_layout.hpp"
#include "core/training/replica.hpp"

namespace whorl {

/// Copies of the slices on the host, replica after replica, R·slice elements each.
struct PopulationValues {
    std::vector<float> parameters, first_moment, second_moment;
};

/// Owns the slices [R,1,1,slice], float32, on the backend's device.
class Population {
public:
    /// Draws each replica's parameters from its own seed; moments start at zero.
    Population(const ParameterLayout& layout, const std::vector<ReplicaHyper>& replicas, Backend& backend);

    const Tensor& parameters() const { return parameters_; }
    const Tensor& gradient() const { return gradient_; }
    const Tensor& first_moment() const { return first_moment_; }
    const Tensor& second_moment() const { return second_moment_; }
    /// [1,1,1,slice]: 0 = frozen, 1 = trained, 2 = trained with decay. Padding is frozen.
    const Tensor& mask() const { return mask_; }

    void zero_gradient();
    PopulationValues values() const;
    /// Sizes must match (the caller checked them).
    void set(const PopulationValues& values);

private:
    Tensor take(std::int64_t replicas);

    Backend& backend_;
    std::int64_t replicas_, slice_;
    std::vector<Buffer> memory_;
    Tensor parameters_, gradient_, first_moment_, second_moment_, mask_;
};

}  // namespace whorl
