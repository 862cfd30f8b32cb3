// What a GPU can do at most: what measured times are held against.
#pragma once

namespace whorl {

/// What a GPU reaches at most, measured: 10⁹ float32 operations a second (two a multiply-add), the same of its matrix
/// units on TF32 and bfloat16 (by mma.sync, warp by warp; 0 where this build has no code for them), and 10⁹ bytes a
/// second read and written by a large copy.
struct Ceilings {
    double gflops = 0, gbytes = 0, tf32_gflops = 0, bf16_gflops = 0;
};
Ceilings measure_cuda_ceilings();

}  // namespace whorl
