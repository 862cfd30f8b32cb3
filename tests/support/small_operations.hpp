// The operations around the mixers, as descriptions for judge.hpp.
#pragma once

#include "tests/support/operation.hpp"

namespace whorl::test {

Operation embed(std::int64_t batch, std::int64_t length, std::int64_t vocabulary, std::int64_t features);
Operation linear(std::int64_t batch, std::int64_t length, std::int64_t in, std::int64_t out, bool to_stream = false);
/// y, kept[0] = sum (only with a residual), kept[1] = inverse.
Operation rms_norm(std::int64_t batch, std::int64_t length, std::int64_t features, bool residual,
                   double epsilon = 1e-5);
Operation chosen_rms_norm(std::int64_t batch, std::int64_t length, std::int64_t slots, std::int64_t features,
                          bool residual, double epsilon = 1e-5);
Operation gated_rms_norm(std::int64_t batch, std::int64_t length, std::int64_t features, const GatedNormShape& shape);
Operation short_conv(std::int64_t batch, std::int64_t length, std::int64_t features, std::int64_t width, bool bias);
Operation silu(std::int64_t batch, std::int64_t length, std::int64_t features);
Operation swiglu(std::int64_t batch, std::int64_t length, std::int64_t features);
/// Double only: y = the mean loss [1], kept = correct, used. Its gradient is that of the loss: set d_y to one.
Operation cross_entropy(std::int64_t slots, std::int64_t vocabulary, double label_smoothing = 0);

}  // namespace whorl::test
