// Marks a function as callable from host code and from CUDA kernels; headers below use it so that a formula is written
// once.
#pragma once

#if defined(__CUDACC__)
#define WHORL_HD __host__ __device__
#define WHORL_INLINE __forceinline__
#else
#define WHORL_HD
// A loop is vectorised only when everything in it is inlined; the compiler's own limit would stop at the longer
// formulas.
#define WHORL_INLINE inline __attribute__((always_inline))
#endif
