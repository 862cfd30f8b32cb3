// Where the state-space kernels have what: a block's memory, and what a head keeps from forward to backward.
#pragma once

#include "gpu/state_space/decay_scan_backward.cuh"
#include "gpu/state_space/state_space_terms.cuh"

namespace whorl::gpu {

/// Where one head's small sums stand in its part of the sums' memory.
struct SumLayout {
    template <class Shape>
    __host__ __device__ explicit SumLayout(const Shape& s)
        : bc(s.rank * s.state), mix(s.mimo ? s.rank * s.headdim : 0), norm_size(s.headdim) {}
    int bc, mix, norm_size;
    __host__ __device__ int b_bias() const { return 3; }  // behind dt_bias, D, A_log
    __host__ __device__ int c_bias() const { return b_bias() + bc; }
    __host__ __device__ int mimo_x() const { return c_bias() + bc; }
    __host__ __device__ int mimo_z() const { return mimo_x() + mix; }
    __host__ __device__ int mimo_o() const { return mimo_z() + mix; }
    __host__ __device__ int norm() const { return mimo_o() + mix; }
    __host__ __device__ int count() const { return norm() + norm_size; }
};

template <class Sizes>
__host__ __device__ ScanShape<Sizes> scan_shape(const LayerShape<Sizes>& s) {
    return {{{s.length, s.rank, s.state, s.headdim, s.chunk}}};
}

/// What one head keeps from forward to backward: the scan's output, the state and the phases on entry to every chunk
/// but the first.
struct SavedLayout {
    template <class Shape>
    __host__ __device__ explicit SavedLayout(const Shape& s) {
        const std::int64_t entries = s.chunks() - 1;
        states = std::int64_t{s.length} * s.rank * s.headdim;
        phases = states + entries * s.state * s.headdim;
        count = phases + (entries * s.angles + 3) / 4 * 4;  // heads begin where pairs can be moved
    }
    std::int64_t states, phases, count;
};

/// What the layer needs besides the scan.
template <class T>
struct LayerMemory {
    template <class Sizes>
    __host__ __device__ LayerMemory(BlockMemory& memory, const LayerShape<Sizes>& s) {
        const int room = s.chunk;
        for (T** vector : {&dt, &a, &lambda}) *vector = memory.take<T>(room + 1);
        raw_x = memory.take<T>(s.mimo ? room * row_ld(s.headdim) : 0);
    }
    /// What the compiler does not know the size of comes last: then it knows the places of all the rest.
    template <class Sizes>
    __host__ __device__ void take_last(BlockMemory& memory, const LayerShape<Sizes>& s) {
        for (T** vector : {&row_scale, &row_pull}) *vector = memory.take<T>(normed(s.gate) ? s.rows() : 0);
        phase = memory.take<T>(s.angles);
    }
    /// Positions' angles are an odd number of elements apart: warps read down the columns.
    __host__ __device__ static int angle_ld(int angles) { return angles | 1; }
    T *dt, *a, *lambda;       // [C+1]
    T *row_scale, *row_pull;  // [m]: of the gate's norm
    T* raw_x;                 // [C,P], rows row_ld(P) apart
    T* z;                     // [C,P], rows row_ld(P) apart
    T *sin, *cos;             // [C,S], rows angle_ld apart
    T* phase;                 // [S]: on entry to the chunk, then on entry to the next
};

template <class T, class Sizes>
struct ForwardMemory {
    __host__ __device__ ForwardMemory(BlockMemory& memory, const LayerShape<Sizes>& s)
        : layer(memory, s), scan(memory, scan_shape(s), 2 * s.chunk * LayerMemory<T>::angle_ld(s.angles), true) {
        layer.z = memory.take<T>(s.chunk * row_ld(s.headdim));
        layer.sin = scan.reused;
        layer.cos = scan.reused + s.chunk * LayerMemory<T>::angle_ld(s.angles);
        layer.take_last(memory, s);
    }
    LayerMemory<T> layer;
    ScanForward<T, Sizes> scan;
};

template <class T, class Sizes>
struct BackwardMemory {
    __host__ __device__ BackwardMemory(BlockMemory& memory, const LayerShape<Sizes>& s)
        : layer(memory, s), scan(memory, scan_shape(s), kept_size(s), s.rows() * LayerMemory<T>::angle_ld(s.angles)) {
        // What is read before the scan's backward pass, or made after its scores have been read.
        layer.z = scan.reused;
        scanned = layer.z + s.chunk * row_ld(s.headdim);
        d_out = scanned + s.rows() * row_ld(s.headdim);
        d_phase = scan.room;
        d_v = memory.take<T>(s.mimo ? s.rows() * row_ld(s.headdim) : 0);
        d_dt = scan.callers;
        sums = memory.take<T>(SumLayout(s).count());
        pending = memory.take<T>(3);
        lane_sums = memory.take<T>(!s.kSingle ? most_of(kBlockThreads, s.rank * s.state) : 0);
        layer.sin = memory.take<T>(s.chunk * LayerMemory<T>::angle_ld(s.angles));
        layer.cos = memory.take<T>(s.chunk * LayerMemory<T>::angle_ld(s.angles));
        layer.take_last(memory, s);
        turning = memory.take<T>(s.angles);
    }
    __host__ __device__ static int kept_size(const LayerShape<Sizes>& s) {
        return (2 + s.rank) * s.chunk * row_ld(s.headdim);
    }
    LayerMemory<T> layer;
    ScanBackward<T, Sizes> scan;
    T *scanned, *d_out;  // [m,P], [C,P]: the scan's output, the gradient of the layer's
    T* d_phase;          // [m,S], then in a position's first row summed over all later positions
    T* d_v;              // [m,P]
    T* lane_sums;        // [lanes, rank·N]: of the biases, with several ranks
    T* turning;          // [S]: the angles' gradients summed over all later positions
    T* d_dt;             // [C+1]: through the angles
    T* sums;             // SumLayout
    T* pending;  // gradients of log_decay, γ, Δ of the first position of the chunk behind, which lack b's part
};

}  // namespace whorl::gpu
