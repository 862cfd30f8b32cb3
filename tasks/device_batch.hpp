// Training batches made where the model computes: no example passes through the host.
#pragma once

#include "core/backend/backend.hpp"
#include "tasks/sample.hpp"

namespace whorl {

/// Which batch, and where it goes. The arrays are on the device: each replica gets the examples of its data seed for
/// the step that it is at.
struct BatchOrder {
    const StepNumbers* steps = nullptr;
    const ReplicaNumbers* replicas = nullptr;  // [R]
    std::int64_t min_size = 1;
    Tensor tokens;            // i32 [R,B,1,L]
    Supervision supervision;  // the slots are shared out evenly among the B sequences
    std::int64_t first = 0;   // which sequence of the step the first of the B is
};

class DeviceBatch {
public:
    virtual ~DeviceBatch() = default;
    /// Asks for the batch: the same numbers that BatchLoader::put writes for the training split.
    virtual void make(const BatchOrder& order) = 0;
};

}  // namespace whorl
