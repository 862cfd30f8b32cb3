#pragma once

namespace whorl::gpu {

/// What the matrix units multiply; sums are in the scalar of the operation.
enum class Products { float64, float32, tf32, bf16 };

}  // namespace whorl::gpu
