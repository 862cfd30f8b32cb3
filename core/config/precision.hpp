// What a run's matrix products are multiplied in, and what its activations are kept in. Sums, what is computed from
// activations (norms, angles, steps, recurrent states), parameters, their gradients, the residual stream and the
// optimizer are never below float32.
#pragma once

#include <cstdint>

namespace whorl {

/// float32: products as exact as float32 multiplication shows (on matrix units three TF32 products of split operands);
/// tf32: operands rounded to 11 significant bits; bf16: to 8.
enum class Matmul : std::uint8_t { float32, tf32, bf16 };

/// bf16: what a layer's operations hand to each other, forward and backward, is rounded to 8 significant bits.
enum class Storage : std::uint8_t { float32, bf16 };

struct Precision {
    Matmul matmul = Matmul::float32;
    Storage storage = Storage::float32;  // bf16 only with products in bf16
};

}  // namespace whorl
