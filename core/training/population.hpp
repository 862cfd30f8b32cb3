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

/// Owns the slices [R,1,1,slice], float32, on the backend's device. A replica's slices lie in one row; rows can be
/// exchanged, so that the replicas that still train stand together at the front.
class Population {
public:
    /// Draws each replica's parameters from its own seed; gradient and moments start at zero. The gradient has room for
    /// `group` replicas (0: all), which are computed at a time.
    Population(const ParameterLayout& layout, const std::vector<ReplicaHyper>& replicas, Backend& backend,
               std::int64_t group = 0);

    std::int64_t replicas() const { return replicas_; }
    /// The replica in a row.
    std::size_t replica_at(std::int64_t row) const { return order_[static_cast<std::size_t>(row)]; }

    const Tensor& parameters() const { return parameters_; }
    const Tensor& gradient() const { return gradient_; }
    const Tensor& first_moment() const { return first_moment_; }
    const Tensor& second_moment() const { return second_moment_; }
    /// [1,1,1,slice]: 0 = frozen, 1 = trained, 2 = trained with decay. Padding is frozen.
    const Tensor& mask() const { return mask_; }

    /// Exchanges two rows, moments included (through the host: rare).
    void swap_rows(std::int64_t a, std::int64_t b);
    /// Replica after replica, whatever rows they are in.
    PopulationValues values() const;
    /// Of one replica, without its moments: [slice].
    std::vector<float> parameters_of(std::size_t replica) const;
    /// Sizes must match (the caller checked them). Replica order[i] comes to row i.
    void set(const PopulationValues& values, std::vector<std::size_t> order);

    /// Bytes that a replica takes here for good, and while its values are copied to write a checkpoint.
    static std::int64_t bytes_a_replica(const ParameterLayout& layout);

private:
    Tensor take(std::int64_t replicas);

    Backend& backend_;
    std::int64_t replicas_, slice_;
    std::vector<std::size_t> order_;  // row → replica
    std::vector<Buffer> memory_;
    Tensor parameters_, gradient_, first_moment_, second_moment_, mask_;
};

/// Rows [first, first + count) of a tensor with a leading replica axis.
inline Tensor rows_of(Tensor tensor, std::int64_t first, std::int64_t count) {
    tensor.data += first * tensor.stride[0] * static_cast<std::int64_t>(size_of(tensor.dtype));
    tensor.shape[0] = count;
    return tensor;
}

}  // namespace whorl
