// AdamW for one parameter (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019, algorithm 2; the decay
// is scaled by the learning rate).
#pragma once

#include "core/numerics/floating.hpp"

namespace whorl::numerics {

template <Real T>
struct AdamWNumbers {
    T beta1, beta2, epsilon;
    T correction1, correction2;  // 1 / (1 - βⁿ)
    T clip, rate, decay;         // the gradient's scale; learning rate; learning rate × weight decay
};

/// flag: 0 = frozen (its moments go on), 1 = trained, 2 = trained with decay.
template <Real T>
WHORL_HD WHORL_INLINE constexpr void adamw(const AdamWNumbers<T>& c, T gradient, T flag, T& parameter, T& first,
                                           T& second) {
    const T slope = gradient * c.clip;
    first = c.beta1 * first + (T(1) - c.beta1) * slope;
    second = c.beta2 * second + (T(1) - c.beta2) * slope * slope;
    const T change = c.rate * (first * c.correction1) / (sqrt(second * c.correction2) + c.epsilon);
    const T trained = flag > T(0) ? T(1) : T(0), decayed = flag > T(1) ? c.decay : T(0);
    parameter -= trained * (change + decayed * parameter);
}

}  // namespace whorl::numerics
