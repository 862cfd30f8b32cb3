// In what a run's matrix products are multiplied. Tensors stay what they are; sums and everything else (norms,
// activations, angles, recurrent states, optimizer) are never below float32.
#pragma once

#include <cstdint>

namespace whorl {

/// float32: products as exact as float32 multiplication shows (on matrix units three TF32 products of split operands);
/// tf32: operands rounded to 11 significant bits; bf16: to 8.
enum class Matmul : std::uint8_t { float32, tf32, bf16 };

struct Precision {
    Matmul matmul = Matmul::float32;
};

}  // namespace whorl
