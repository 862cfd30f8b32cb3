// Gate and RMSNorm over groups of features: Mamba-2's output (gate, then norm) and Gated DeltaNet's (norm, then gate).
// A few lanes have a group of a row, as norm_rows.cuh has it.
#include "gpu/layers/norm_rows.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/runtime/reduce.cuh"

namespace whorl::gpu {
namespace {

constexpr int kGateThreads = 256;

/// Rows stored as S. A replica's groups come in sets that share their weight: all of them, or the ones with the same
/// features.
template <class T, class S, int Width, int Kept>
struct GatedRows {
    using Piece = Vector<T, Width>;
    NormRow<T, Width, Kept> shape;  // of a group
    View<S> x, z;
    View<T> weight;
    int groups;  // of a row
    bool norm_first, shared;
    T epsilon;

    __host__ __device__ int sets() const { return shared ? 1 : groups; }
    __host__ __device__ std::int64_t count(std::int64_t rows) const { return shared ? rows * groups : rows; }

    struct Place {
        std::int64_t row;
        int feature;  // the group's first
    };
    __device__ Place place(int set, std::int64_t index) const {
        if (!shared) return {index, set * shape.n};
        const std::int64_t row = index >> 31 == 0  // 32-bit division is several times cheaper
                                     ? static_cast<unsigned>(index) / static_cast<unsigned>(groups)
                                     : index / groups;
        return {row, static_cast<int>(index - row * groups) * shape.n};
    }
    __device__ const T* weights(std::int64_t r, int set) const { return weight.at(r) + set * shape.n; }
    __device__ T squares(const Piece& in, const Piece& gate) const {
        T sum = 0;
#pragma unroll
        for (int e = 0; e < Width; ++e) {
            const T value = norm_first ? in.at[e] : in.at[e] * gate.at[e];
            sum += value * value;
        }
        return sum;
    }
    __device__ T scale(T squares_of_lane) const {
        return numerics::inverse_rms(shape.add_lanes(squares_of_lane), static_cast<T>(shape.n), epsilon);
    }
};

template <class T, int Width>
__device__ Vector<T, Width> gate_of(Vector<T, Width> z) {
#pragma unroll
    for (int e = 0; e < Width; ++e) z.at[e] = numerics::silu(z.at[e]);
    return z;
}

/// Grid: (blocks of groups, sets, replicas).
template <class T, class S, int Width, int Kept>
__global__ void __launch_bounds__(kGateThreads)
    gated_forward_kernel(const __grid_constant__ GatedRows<T, S, Width, Kept> in, const __grid_constant__ View<S> y,
                         const SequenceRows sequences) {
    const auto& shape = in.shape;
    const int set = static_cast<int>(blockIdx.y), lane = static_cast<int>(threadIdx.x) % shape.lanes,
              group = static_cast<int>(threadIdx.x) / shape.lanes;
    const std::int64_t r = blockIdx.z, index = std::int64_t{blockIdx.x} * (kGateThreads / shape.lanes) + group;
    const bool inside = index < in.count(sequences.rows(r));
    const auto at = in.place(set, inside ? index : 0);
    const S *x_row = inside ? in.x.row(r, at.row) + at.feature : nullptr,
            *z_row = inside ? in.z.row(r, at.row) + at.feature : nullptr;
    const T* w_row = in.weights(r, set);
    Vector<T, Width> x[Kept] = {}, gate[Kept] = {}, w[Kept] = {};
    const auto load = [&](int first) {
        shape.load(x, x_row, first);
        shape.load(gate, z_row, first);
        shape.load(w, w_row, first);
        shape.for_pieces(first, [&](int i, int) { gate[i] = gate_of(gate[i]); });
    };
    T square = 0;
    shape.for_shares(lane, [&](int first) {
        load(first);
        shape.for_pieces(first, [&](int i, int) { square += in.squares(x[i], gate[i]); });
    });
    const T scale = in.scale(square);
    if (!inside) return;
    S* out = y.row(r, at.row) + at.feature;
    shape.for_shares(lane, [&](int first) {
        if (!shape.kept()) load(first);
        shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
            for (int e = 0; e < Width; ++e) x[i].at[e] *= gate[i].at[e] * (scale * w[i].at[e]);
            store_vector(out + j, x[i]);
        });
    });
}

/// A group of a row on the way back. The weights are loaded once where a lane keeps its share.
template <class T, class S, int Width, int Kept>
struct GatedBackward {
    using Piece = Vector<T, Width>;
    GatedRows<T, S, Width, Kept> in;
    View<S> d_y, d_x, d_z;

    /// Both orders: out = x·silu(z)·scale·w, where scale depends on x (norm first) or on x·silu(z). visit(i, feature,
    /// d_weight's terms) for each piece of a share.
    template <class Visit>
    __device__ void row(std::int64_t r, int set, std::int64_t index, bool inside, int lane, Piece (&w)[Kept],
                        const Visit& visit) const {
        const auto& shape = in.shape;
        const auto at = in.place(set, inside ? index : 0);
        const S *x_row = inside ? in.x.row(r, at.row) + at.feature : nullptr,
                *z_row = inside ? in.z.row(r, at.row) + at.feature : nullptr,
                *d_row = inside ? d_y.row(r, at.row) + at.feature : nullptr;
        Piece x[Kept] = {}, d[Kept] = {}, gate[Kept] = {}, slope[Kept] = {};
        const auto load = [&](int first) {
            shape.load(x, x_row, first);
            shape.load(gate, z_row, first);
            shape.load(d, d_row, first);
            if (!shape.kept()) shape.load(w, in.weights(r, set), first);
            shape.for_pieces(first, [&](int i, int) {
#pragma unroll
                for (int e = 0; e < Width; ++e) slope[i].at[e] = numerics::silu_derivative(gate[i].at[e]);
                gate[i] = gate_of(gate[i]);
            });
        };
        T square = 0, product = 0;
        shape.for_shares(lane, [&](int first) {
            load(first);
            shape.for_pieces(first, [&](int i, int) {
                square += in.squares(x[i], gate[i]);
#pragma unroll
                for (int e = 0; e < Width; ++e) product += d[i].at[e] * w[i].at[e] * (x[i].at[e] * gate[i].at[e]);
            });
        });
        const T scale = in.scale(square);
        const T pull = shape.add_lanes(product) * scale * scale / static_cast<T>(shape.n);
        if (!inside) return;
        S *to_x = d_x.row(r, at.row) + at.feature, *to_z = d_z.row(r, at.row) + at.feature;
        shape.for_shares(lane, [&](int first) {
            if (!shape.kept()) load(first);
            shape.for_pieces(first, [&](int i, int j) {
                Piece out_x, out_z;
#pragma unroll
                for (int e = 0; e < Width; ++e) {  // fma by hand: compilers round now one product, now the other
                    const T value = x[i].at[e], open = gate[i].at[e], gated = value * open;
                    const T dw = d[i].at[e] * w[i].at[e];
                    const T d_gated = scale * (in.norm_first ? dw : numerics::fma(-gated, pull, dw));
                    out_z.at[e] = d_gated * value * slope[i].at[e];
                    out_x.at[e] = in.norm_first ? scale * numerics::fma(-value, pull, dw * open) : d_gated * open;
                    d[i].at[e] *= gated * scale;
                }
                store_vector(to_x + j, out_x);
                store_vector(to_z + j, out_z);
                visit(i, j, d[i]);
            });
        });
    }
};

/// Grid: (splits of a set's groups, sets, replicas). d_weight += the sum over the splits.
template <class T, class S, int Width, int Kept>
__global__ void __launch_bounds__(kGateThreads, Kept == 1 && sizeof(T) == 4 ? 4 : 1)
    gated_backward_kernel(const __grid_constant__ GatedBackward<T, S, Width, Kept> body, const SequenceRows sequences,
                          const __grid_constant__ BlockSums<T> splits, const __grid_constant__ View<T> d_weight) {
    T* sums = reinterpret_cast<T*>(dynamic_shared());
    const auto& shape = body.in.shape;
    const int n = shape.n, threads = static_cast<int>(blockDim.x), lane = static_cast<int>(threadIdx.x) % shape.lanes,
              group = static_cast<int>(threadIdx.x) / shape.lanes, groups = threads / shape.lanes;
    const std::int64_t r = blockIdx.z;
    const RowRange own(body.in.count(sequences.rows(r)), blockIdx.x, gridDim.x);
    const int set = static_cast<int>(blockIdx.y);
    NormWeightSums<T, Width, Kept> weight_sums{shape, sums + group * n, lane};
    weight_sums.clear();
    Vector<T, Width> w[Kept] = {};
    if (shape.kept()) shape.for_shares(lane, [&](int first) { shape.load(w, body.in.weights(r, set), first); });
    for (std::int64_t first = own.begin; first < own.end; first += groups)
        body.row(r, set, first + group, first + group < own.end, lane, w,
                 [&](int i, int j, const auto& terms) { weight_sums.add(i, j, terms); });
    weight_sums.leave();
    __syncthreads();
    const int part_index = static_cast<int>(blockIdx.x);
    const std::int64_t sum_set = r * gridDim.y + set;
    T* part = splits.part(sum_set, part_index);
    for (int j = static_cast<int>(threadIdx.x); j < n; j += threads) {
        T sum = 0;
        for (int g = 0; g < groups; ++g) sum += sums[g * n + j];
        part[j] = sum;
    }
    splits.finish_narrow(sum_set, part_index, sums,
                         [&](int j, T total) { d_weight.at(r)[std::int64_t{set} * n + j] += total; });
}

/// Sets of a replica's groups, and how a block's share of one is cut.
struct Sizes {
    Sizes(const Tensor& x, const GatedNormShape& shape)
        : columns(shape.group),
          sets(shape.shared_weight ? 1 : x.features() / shape.group),
          splits(x.rows() * (x.features() / shape.group) / sets, 32, 512) {}
    template <class T>
    BlockSums<T> sums() const {
        return {columns, splits.count};
    }
    std::int64_t columns, sets;
    Splits splits;
};

/// Calls body(GatedRows) for the pieces that groups and tensors allow.
template <class T, class S, class Body>
void with_gated_rows(const GatedNormShape& shape, const Tensor& x, const Tensor& z, const Tensor& weight, bool vectors,
                     const Body& body) {
    const bool whole = vectors && in_vectors(x.slice(0, shape.group)) && in_vectors(z) && in_vectors(weight);
    with_norm_row<T>(shape.group, whole, [&]<int Width, int Kept>(const NormRow<T, Width, Kept>& row) {
        body(GatedRows<T, S, Width, Kept>{row, view<S>(x), view<S>(z), view<T>(weight),
                                          static_cast<int>(x.features() / shape.group), shape.norm_first,
                                          shape.shared_weight, static_cast<T>(shape.epsilon)});
    });
}

template <class T, class S, int Width, int Kept>
void backward(const CudaBackend& backend, const GatedBackward<T, S, Width, Kept>& body, const Sizes& sizes,
              std::int64_t replicas, const SequenceRows& sequences, const View<T>& d_weight, T* scratch) {
    const NormRow<T, Width, Kept>& shape = body.in.shape;
    int threads = kGateThreads;
    const auto bytes = [&] {
        return std::max(threads / shape.lanes * shape.n, threads) * static_cast<std::int64_t>(sizeof(T));
    };
    while (threads > 32 && bytes() > backend.shared_limit()) threads /= 2;
    const BlockSums<T> sums = sizes.sums<T>();
    launch("gated_rms_norm_backward", gated_backward_kernel<T, S, Width, Kept>,
           dim3(grid_size(sizes.splits.count), grid_size(sizes.sets), grid_size(replicas)), dim3(grid_size(threads)),
           static_cast<std::size_t>(bytes()), backend.stream(), body, sequences,
           sums.at(scratch, backend.tickets(replicas * sizes.sets * sums.ticket_count())), d_weight);
}

}  // namespace

OpMemory CudaBackend::gated_rms_norm_memory(const Tensor& x, const GatedNormShape& shape) {
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        const Sizes sizes(x, shape);
        memory.scratch = x.replicas() * sizes.sets * sizes.sums<decltype(scalar)>().bytes();
    });
    return memory;
}

void CudaBackend::gated_rms_norm_forward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                         const Tensor& weight, const Tensor& y) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        with_gated_rows<T, S>(
            shape, x, z, weight, in_vectors(y), [&]<int Width, int Kept>(const GatedRows<T, S, Width, Kept>& in) {
                const dim3 grid(grid_size(ceil_div(in.count(x.rows()) * in.shape.lanes, kGateThreads)),
                                grid_size(in.sets()), grid_size(x.replicas()));
                launch("gated_rms_norm_forward", gated_forward_kernel<T, S, Width, Kept>, grid, dim3(kGateThreads), 0,
                       stream_, in, view<S>(y), SequenceRows(x));
            });
    });
}

void CudaBackend::gated_rms_norm_backward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                          const Tensor& weight, const Tensor& d_y, const Tensor& d_x, const Tensor& d_z,
                                          const Tensor& d_weight, const Tensor& scratch) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const bool vectors = in_vectors(d_y) && in_vectors(d_x) && in_vectors(d_z);
        with_gated_rows<T, S>(
            shape, x, z, weight, vectors, [&]<int Width, int Kept>(const GatedRows<T, S, Width, Kept>& in) {
                const GatedBackward<T, S, Width, Kept> body{in, view<S>(d_y), view<S>(d_x), view<S>(d_z)};
                backward(*this, body, Sizes(x, shape), x.replicas(), SequenceRows(x), view<T>(d_weight),
                         scratch.at<T>());
            });
    });
}

}  // namespace whorl::gpu
