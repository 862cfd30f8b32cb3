// RMSNorm with the residual add, over all rows or chosen ones. A few lanes of a warp have a row, each one a piece of 16
// bytes of it (four of longer rows; rows that are longer still are read twice).
#include "core/numerics/mixer_terms.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/last_block.cuh"
#include "gpu/pack.cuh"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

constexpr int kNormThreads = 256;
constexpr std::int64_t kSlotBytes = kNormThreads * sizeof(int);

/// How a row of n features lies in `lanes` neighbouring lanes: pieces of Width, Kept of them in a lane's registers.
template <class T, int Width, int Kept>
struct NormRow {
    using Piece = Pack<T, Width>;
    int n, lanes;

    /// Calls body(first feature) for the lane's share, which comes in one go or, of a long row, in several.
    template <class Body>
    __device__ void for_shares(int lane, const Body& body) const {
        for (int first = lane * Width; first < n; first += Kept * lanes * Width) body(first);
    }
    __device__ bool kept() const { return n <= Kept * lanes * Width; }

    /// Calls body(i, feature) for the pieces of a share.
    template <class Body>
    __device__ void for_pieces(int first, const Body& body) const {
#pragma unroll
        for (int i = 0; i < Kept; ++i)
            if (Kept == 1 || first + i * lanes * Width < n) body(i, first + i * lanes * Width);
    }
    /// The pieces of a share, zero when the row is not there.
    __device__ void load(Piece (&pieces)[Kept], const T* row, int first) const {
#pragma unroll
        for (int i = 0; i < Kept; ++i) pieces[i] = {};
        if (row) for_pieces(first, [&](int i, int j) { pieces[i] = load_pack<Width>(row + j); });
    }
    /// The sum over the row's lanes, the same in all of them. Called by whole warps.
    __device__ T add_lanes(T value) const {
        for (int distance = lanes / 2; distance > 0; distance /= 2)
            value += __shfl_xor_sync(0xffffffffU, value, distance);
        return value;
    }
};

/// Rows of one kind that belong to rows of another: slots to rows of the batch, or the other way.
struct ChosenRows {
    View<int> row_of, slot_of;  // absent: every row is its own
    int slots;

    /// The row of slot m, -1 for none.
    __device__ std::int64_t row(std::int64_t r, std::int64_t m) const { return row_of ? row_of.at(r)[m] : m; }
    __device__ void remember(std::int64_t r, std::int64_t row, std::int64_t m) const {
        if (slot_of) slot_of.at(r)[row] = static_cast<int>(m);
    }
    /// The slot of a row, -1 for none. What a row that was not chosen finds in slot_of is from an earlier time.
    __device__ int slot(std::int64_t r, std::int64_t row) const {
        const int m = slot_of.at(r)[row];
        return m >= 0 && m < slots && row_of.at(r)[m] == row ? m : -1;
    }
};

template <class T, int Width, int Kept>
struct NormForward {
    NormRow<T, Width, Kept> shape;
    ChosenRows chosen;
    View<T> x, residual, sum, weight, y, inverse;
    bool keeps_sum;  // else x is the sum
    T epsilon;

    __device__ void row(std::int64_t r, std::int64_t index, bool inside, int lane) const {
        using Piece = Pack<T, Width>;
        const std::int64_t from = inside ? chosen.row(r, index) : -1;
        const T* in = from >= 0 ? x.row(r, from) : nullptr;
        const T* extra = from >= 0 && residual ? residual.row(r, from) : nullptr;
        T* total = inside && keeps_sum ? sum.row(r, index) : nullptr;
        Piece value[Kept] = {}, other[Kept] = {};
        T square = 0;
        shape.for_shares(lane, [&](int first) {
            shape.load(value, in, first);
            shape.load(other, extra, first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) {
                    value[i].at[e] += other[i].at[e];
                    square += value[i].at[e] * value[i].at[e];
                }
                if (total) store_pack(total + j, value[i]);
            });
        });
        const T scale = numerics::inverse_rms(shape.add_lanes(square), static_cast<T>(shape.n), epsilon);
        if (!inside) return;
        if (lane == 0) {
            *inverse.row(r, index) = scale;
            if (from >= 0) chosen.remember(r, from, index);
        }
        T* out = y.row(r, index);
        shape.for_shares(lane, [&](int first) {
            if (!shape.kept()) shape.load(value, total ? total : in, first);  // each lane reads what it wrote
            shape.load(other, weight.at(r), first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) value[i].at[e] = other[i].at[e] * (value[i].at[e] * scale);
                store_pack(out + j, value[i]);
            });
        });
    }
};

/// Grid: (blocks of rows, replicas).
template <class T, int Width, int Kept>
__global__ void __launch_bounds__(kNormThreads)
    rms_forward_kernel(NormForward<T, Width, Kept> body, std::int64_t rows) {
    const int lanes = body.shape.lanes;
    const std::int64_t index = (std::int64_t{blockIdx.x} * kNormThreads + threadIdx.x) / lanes;
    body.row(blockIdx.y, index, index < rows, static_cast<int>(threadIdx.x) % lanes);
}

template <class T, int Width, int Kept>
struct NormBackward {
    using Piece = Pack<T, Width>;
    NormRow<T, Width, Kept> shape;
    View<T> sum, weight, inverse, d_y, d_x;

    /// Row `from` of the norm (< 0: none), whose gradient goes to d_x's row `index` or, with Overwrite, is this.
    /// visit(i, feature, d_weight's terms) for each piece of a share.
    template <bool Overwrite, class Visit>
    __device__ void row(std::int64_t r, std::int64_t index, std::int64_t from, bool inside, int lane,
                        const Visit& visit) const {
        const T *in = from >= 0 ? sum.row(r, from) : nullptr, *slope = from >= 0 ? d_y.row(r, from) : nullptr;
        const T scale = from >= 0 ? *inverse.row(r, from) : T(0);
        T* out = inside ? d_x.row(r, index) : nullptr;
        Piece x[Kept] = {}, d[Kept] = {}, w[Kept] = {}, before[Kept] = {};
        T projection = 0;
        const auto load = [&](int first) {
            shape.load(x, in, first);
            shape.load(d, slope, first);
            shape.load(before, Overwrite ? nullptr : out, first);
            shape.load(w, weight.at(r), first);
        };
        shape.for_shares(lane, [&](int first) {
            load(first);
            shape.for_pieces(first, [&](int i, int) {
#pragma unroll
                for (int e = 0; e < Width; ++e) projection += d[i].at[e] * w[i].at[e] * x[i].at[e];
            });
        });
        const T pull = shape.add_lanes(projection) * scale * scale / static_cast<T>(shape.n);
        if (!inside) return;
        shape.for_shares(lane, [&](int first) {
            if (!shape.kept()) load(first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) {
                    before[i].at[e] += scale * (d[i].at[e] * w[i].at[e] - x[i].at[e] * pull);
                    d[i].at[e] *= x[i].at[e] * scale;
                }
                store_pack(out + j, before[i]);
                visit(i, j, d[i]);
            });
        });
    }
};

/// The weight's gradient that a block gathers: [groups of lanes][n] in shared memory; of short rows, each lane's share
/// in registers until the end.
template <class T, int Width, int Kept>
struct NormWeightSums {
    const NormRow<T, Width, Kept>& shape;
    T* own;
    int lane;
    Pack<T, Width> kept[Kept] = {};

    __device__ void clear() {
        if (!shape.kept())
            for (int j = lane; j < shape.n; j += shape.lanes) own[j] = 0;
        __syncwarp();
    }
    __device__ void add(int i, int feature, const Pack<T, Width>& terms) {
#pragma unroll
        for (int e = 0; e < Width; ++e)
            if (shape.kept())
                kept[i].at[e] += terms.at[e];
            else
                own[feature + e] += terms.at[e];
    }
    __device__ void leave() {
        if (!shape.kept()) return;
        shape.for_shares(
            lane, [&](int first) { shape.for_pieces(first, [&](int i, int j) { store_pack(own + j, kept[i]); }); });
    }
};

/// Grid: (splits of the rows of d_x, replicas). d_weight += the sum over the splits.
template <bool Chosen, class T, int Width, int Kept>
__global__ void __launch_bounds__(kNormThreads)
    rms_backward_kernel(NormBackward<T, Width, Kept> body, ChosenRows chosen, std::int64_t rows, std::int64_t size,
                        BlockSums<T> splits, View<T> d_weight) {
    __shared__ int slots[kNormThreads];
    T* sums = reinterpret_cast<T*>(dynamic_shared());
    const int lanes = body.shape.lanes, n = body.shape.n, threads = static_cast<int>(blockDim.x),
              thread = static_cast<int>(threadIdx.x), group = thread / lanes, groups = threads / lanes;
    NormWeightSums<T, Width, Kept> weight_sums{body.shape, sums + group * n, thread % lanes};
    weight_sums.clear();
    const std::int64_t r = blockIdx.y, begin = blockIdx.x * size, end = begin + size < rows ? begin + size : rows;
    for (std::int64_t piece = begin; piece < end; piece += threads) {  // so many slots are looked up together
        const int count = static_cast<int>(end - piece < threads ? end - piece : threads);
        if constexpr (Chosen) {
            __syncthreads();
            slots[thread] = thread < count ? chosen.slot(r, piece + thread) : -1;
            __syncthreads();
        }
        for (int first = 0; first < count; first += groups) {
            const int i = first + group;
            const bool inside = i < count;
            const std::int64_t index = piece + i, from = !inside ? -1 : Chosen ? slots[i] : index;
            body.template row<Chosen>(r, index, from, inside, thread % lanes,
                                      [&](int at, int j, const auto& terms) { weight_sums.add(at, j, terms); });
        }
    }
    weight_sums.leave();
    __syncthreads();
    T* part = splits.part(r, static_cast<int>(blockIdx.x));
    for (int j = thread; j < n; j += threads) {
        T sum = 0;
        for (int g = 0; g < groups; ++g) sum += sums[g * n + j];
        part[j] = sum;
    }
    splits.finish_narrow(r, static_cast<int>(blockIdx.x), sums, [&](int j, T total) { d_weight.at(r)[j] += total; });
}

/// Calls body(NormRow) for rows of n features.
template <class T, class Body>
void dispatch_norm(std::int64_t n, bool packs, const Body& body) {
    dispatch_width<T>(packs, [&](auto width) {
        constexpr int W = decltype(width)::value;
        int lanes = 1;
        while (lanes < 32 && lanes * W < n) lanes *= 2;
        if (lanes * W >= n)
            body(NormRow<T, W, 1>{static_cast<int>(n), lanes});
        else
            body(NormRow<T, W, 4>{static_cast<int>(n), lanes});
    });
}

template <class T, int Width, int Kept>
void forward(cudaStream_t stream, const NormRow<T, Width, Kept>& shape, const ChosenRows& chosen, const Tensor& x,
             const Tensor& residual, const Tensor& sum, const Tensor& weight, const Tensor& y, const Tensor& inverse,
             double epsilon) {
    const NormForward<T, Width, Kept> body{
        shape,           chosen,     view<T>(x),       view<T>(residual),         view<T>(sum),
        view<T>(weight), view<T>(y), view<T>(inverse), residual || chosen.row_of, static_cast<T>(epsilon)};
    launch("rms_norm_forward", rms_forward_kernel<T, Width, Kept>,
           dim3(grid_size(ceil_div(y.rows() * shape.lanes, kNormThreads)), grid_size(y.replicas())), dim3(kNormThreads),
           0, stream, body, y.rows());
}

ChosenRows chosen_rows(const RowChoice& rows) {
    return {view<int>(rows.row_of), view<int>(rows.slot_of), static_cast<int>(rows.row_of.features())};
}

Splits row_splits(const Tensor& d_x) {
    return {d_x.rows(), 32, 512};
}
template <class T>
BlockSums<T> split_sums(const Tensor& d_x) {
    return {d_x.features(), row_splits(d_x).count};
}

/// What the backward pass of either kind is given.
struct NormGradients {
    const Tensor &sum, &weight, &inverse, &d_y, &d_x, &d_weight, &scratch;
};

template <bool Chosen, class T, int Width, int Kept>
void backward(const CudaBackend& backend, const NormRow<T, Width, Kept>& shape, const ChosenRows& chosen,
              const NormGradients& in) {
    const NormBackward<T, Width, Kept> body{shape,           view<T>(in.sum), view<T>(in.weight), view<T>(in.inverse),
                                            view<T>(in.d_y), view<T>(in.d_x)};
    const Splits splits = row_splits(in.d_x);
    const BlockSums<T> sums = split_sums<T>(in.d_x);
    int threads = kNormThreads;
    const auto bytes = [&] {
        return std::max(threads / shape.lanes * shape.n, threads) * static_cast<std::int64_t>(sizeof(T));
    };
    while (threads > 32 && bytes() > backend.shared_limit() - kSlotBytes) threads /= 2;
    launch("rms_norm_backward", rms_backward_kernel<Chosen, T, Width, Kept>,
           dim3(grid_size(splits.count), grid_size(in.d_x.replicas())), dim3(grid_size(threads)),
           static_cast<std::size_t>(bytes()), backend.stream(), body, chosen, in.d_x.rows(), splits.size,
           sums.at(in.scratch.at<T>(), backend.tickets(in.d_x.replicas() * sums.ticket_count())), view<T>(in.d_weight));
}

template <bool Chosen>
void dispatch_backward(const CudaBackend& backend, const ChosenRows& chosen, const NormGradients& in) {
    dispatch(in.sum.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const bool packs = in_packs(in.sum) && in_packs(in.weight) && in_packs(in.d_y) && in_packs(in.d_x);
        dispatch_norm<T>(in.sum.features(), packs,
                         [&](const auto& shape) { backward<Chosen>(backend, shape, chosen, in); });
    });
}

void dispatch_forward(cudaStream_t stream, const ChosenRows& chosen, const Tensor& x, const Tensor& residual,
                      const Tensor& sum, const Tensor& weight, const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch(x.dtype, [&](auto scalar) {
        const bool packs = in_packs(x) && in_packs(residual) && in_packs(sum) && in_packs(weight) && in_packs(y);
        dispatch_norm<decltype(scalar)>(x.features(), packs, [&](const auto& shape) {
            forward(stream, shape, chosen, x, residual, sum, weight, y, inverse, epsilon);
        });
    });
}

}  // namespace

OpMemory CudaBackend::rms_norm_memory(const Tensor& x) {
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) { memory.scratch = x.replicas() * split_sums<decltype(scalar)>(x).bytes(); });
    return memory;
}

void CudaBackend::rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                                   const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch_forward(stream_, ChosenRows{}, x, residual, sum, weight, y, inverse, epsilon);
}

void CudaBackend::rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                                    const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) {
    dispatch_backward<false>(*this, ChosenRows{}, {sum, weight, inverse, d_y, d_sum, d_weight, scratch});
}

OpMemory CudaBackend::chosen_rms_norm_memory(const Tensor& x, const Tensor&) {
    return rms_norm_memory(x);
}

void CudaBackend::chosen_rms_norm_forward(const Tensor& x, const Tensor& residual, const RowChoice& rows,
                                          const Tensor& sum, const Tensor& weight, const Tensor& y,
                                          const Tensor& inverse, double epsilon) {
    dispatch_forward(stream_, chosen_rows(rows), x, residual, sum, weight, y, inverse, epsilon);
}

void CudaBackend::chosen_rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse,
                                           const RowChoice& rows, const Tensor& d_y, const Tensor& d_x,
                                           const Tensor& d_weight, const Tensor& scratch) {
    dispatch_backward<true>(*this, chosen_rows(rows), {sum, weight, inverse, d_y, d_x, d_weight, scratch});
}

}  // namespace whorl::gpu
