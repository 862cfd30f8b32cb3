// An optimizer step as the device sees it. All that changes from step to step, and from replica to replica, lies in
// arrays on the device, so that one recording (Backend::record) serves every step, and steps can be asked for before
// anybody has looked at the results of earlier ones: what happens to a replica is decided where its gradient is.
#pragma once

#include <cstdint>

#include "core/backend/tensor.hpp"
#include "core/numerics/activations.hpp"
#include "core/numerics/adamw.hpp"

namespace whorl {

/// What a step is to all replicas.
struct StepNumbers {
    std::int64_t step = 0;                    // from 0
    std::int64_t size = 0;                    // the largest size of its examples
    double rate_factor = 1;                   // of the schedule
    double correction1 = 1, correction2 = 1;  // bias_correction of both moments, for step + 1 steps
};

/// 1 / (1 - βⁿ): what a moment is multiplied with that started from zero n steps ago.
inline double bias_correction(double beta, std::int64_t n) {
    return 1 / -numerics::expm1(static_cast<double>(n) * numerics::log(beta));
}

/// What a replica is to all steps, and where it stands among those asked for.
struct ReplicaNumbers {
    std::uint64_t data_seed = 0;
    double learning_rate = 0, weight_decay = 0;
    std::int32_t at = 0;       // which of the steps asked for comes next
    std::int32_t stopped = 0;  // 1 from the step on whose loss or gradient was not finite: nothing changes it any more
    std::uint32_t ticket = 0;  // parts of the norm that are done: a GPU counts them here; 0 between steps
};

struct StepMetrics {
    double loss = 0, correct = 0, used = 0;  // as Backend::cross_entropy has them
    double norm = 0;                         // of the gradient before clipping
};

/// The arrays are on the backend's device.
struct OptimizerStep {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double clip = 0;                     // largest norm of a gradient; 0: any
    Tensor loss, correct, used;          // f64 [R]: of this step
    const StepNumbers* steps = nullptr;  // [steps asked for]
    ReplicaNumbers* replicas = nullptr;  // [R]
    std::byte* updates = nullptr;        // numerics::AdamWNumbers [R], in the gradient's type
    StepMetrics* metrics = nullptr;      // [steps asked for][metrics_stride], the first R of each row
    std::int64_t metrics_stride = 0;

    /// What AdamW does to each replica: written by gradient_norm, read by adamw.
    template <class T>
    WHORL_HD numerics::AdamWNumbers<T>* updates_as() const {
        return reinterpret_cast<numerics::AdamWNumbers<T>*>(updates);
    }
};

/// Settles what the step `now` does to a replica, and moves the replica on to the next one. A stopped replica's clip is
/// 0: it keeps everything.
template <class T>
WHORL_HD numerics::AdamWNumbers<T> settle(const OptimizerStep& step, const StepMetrics& found, const StepNumbers& now,
                                          ReplicaNumbers& replica) {
    if (!numerics::is_finite(found.loss) || !numerics::is_finite(found.norm)) replica.stopped = 1;
    ++replica.at;
    const double clip = replica.stopped ? 0.0 : step.clip > 0 && found.norm > step.clip ? step.clip / found.norm : 1.0;
    const auto rate = static_cast<T>(replica.learning_rate * now.rate_factor);
    return {static_cast<T>(step.beta1),
            static_cast<T>(step.beta2),
            static_cast<T>(step.epsilon),
            static_cast<T>(now.correction1),
            static_cast<T>(now.correction2),
            static_cast<T>(clip),
            rate,
            rate * static_cast<T>(replica.weight_decay)};
}

}  // namespace whorl
