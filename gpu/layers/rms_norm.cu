// RMSNorm with the residual add, over all rows or chosen ones.
#include "gpu/layers/norm_rows.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/runtime/reduce.cuh"

namespace whorl::gpu {
namespace {

constexpr int kNormThreads = 256;
constexpr std::int64_t kSlotBytes = kNormThreads * sizeof(int);

/// Grid: (blocks of rows, replicas).
template <class T, class S, int Width, int Kept>
__global__ void __launch_bounds__(kNormThreads)
    rms_forward_kernel(NormForward<T, S, Width, Kept> body, SequenceRows sequences) {
    const int lanes = body.shape.lanes;
    const std::int64_t index = (std::int64_t{blockIdx.x} * kNormThreads + threadIdx.x) / lanes;
    body.row(blockIdx.y, index, index < sequences.rows(blockIdx.y), static_cast<int>(threadIdx.x) % lanes);
}

/// Grid: (splits of the rows of d_x, replicas). d_weight += the sum over the splits.
template <bool Chosen, class T, class S, int Width, int Kept>
__global__ void __launch_bounds__(kNormThreads)
    rms_backward_kernel(NormBackward<T, S, Width, Kept> body, ChosenRows chosen, SequenceRows sequences,
                        BlockSums<T> splits, View<T> d_weight) {
    __shared__ int slots[kNormThreads];
    T* sums = reinterpret_cast<T*>(dynamic_shared());
    const int lanes = body.shape.lanes, n = body.shape.n, threads = static_cast<int>(blockDim.x),
              thread = static_cast<int>(threadIdx.x), group = thread / lanes, groups = threads / lanes;
    NormWeightSums<T, Width, Kept> weight_sums{body.shape, sums + group * n, thread % lanes};
    weight_sums.clear();
    const std::int64_t r = blockIdx.y;
    const RowRange rows(sequences.rows(r), blockIdx.x, gridDim.x);
    for (std::int64_t piece = rows.begin; piece < rows.end; piece += threads) {  // so many slots are looked up together
        const int count = static_cast<int>(rows.end - piece < threads ? rows.end - piece : threads);
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

template <class S, class T, int Width, int Kept>
void forward(cudaStream_t stream, const NormRow<T, Width, Kept>& shape, const ChosenRows& chosen, const Tensor& x,
             const Tensor& residual, const Tensor& sum, const Tensor& weight, const Tensor& y, const Tensor& inverse,
             double epsilon) {
    const NormForward<T, S, Width, Kept> body{
        shape,           chosen,     view<T>(x),       view<T>(residual),         view<T>(sum),
        view<T>(weight), view<S>(y), view<T>(inverse), residual || chosen.row_of, static_cast<T>(epsilon)};
    launch("rms_norm_forward", rms_forward_kernel<T, S, Width, Kept>,
           dim3(grid_size(ceil_div(y.rows() * shape.lanes, kNormThreads)), grid_size(y.replicas())), dim3(kNormThreads),
           0, stream, body, SequenceRows(y));
}

ChosenRows chosen_rows(const RowChoice& rows) {
    return {view<int>(rows.row_of), view<int>(rows.slot_of), static_cast<int>(rows.row_of.features())};
}

Splits row_splits(const Tensor& d_x) {
    return {d_x.rows(), 64, 256};
}
template <class T>
BlockSums<T> split_sums(const Tensor& d_x) {
    return {d_x.features(), row_splits(d_x).count};
}

/// What the backward pass of either kind is given.
struct NormGradients {
    const Tensor &sum, &weight, &inverse, &d_y, &d_x, &d_weight, &scratch;
};

template <bool Chosen, class S, class T, int Width, int Kept>
void backward(const CudaBackend& backend, const NormRow<T, Width, Kept>& shape, const ChosenRows& chosen,
              const NormGradients& in) {
    const NormBackward<T, S, Width, Kept> body{
        shape, view<T>(in.sum), view<T>(in.weight), view<T>(in.inverse), view<S>(in.d_y), view<T>(in.d_x)};
    const Splits splits = row_splits(in.d_x);
    const BlockSums<T> sums = split_sums<T>(in.d_x);
    int threads = kNormThreads;
    const auto bytes = [&] {
        return std::max(threads / shape.lanes * shape.n, threads) * static_cast<std::int64_t>(sizeof(T));
    };
    while (threads > 32 && bytes() > backend.shared_limit() - kSlotBytes) threads /= 2;
    launch("rms_norm_backward", rms_backward_kernel<Chosen, T, S, Width, Kept>,
           dim3(grid_size(splits.count), grid_size(in.d_x.replicas())), dim3(grid_size(threads)),
           static_cast<std::size_t>(bytes()), backend.stream(), body, chosen, SequenceRows(in.d_x),
           sums.at(in.scratch.at<T>(), backend.tickets(in.d_x.replicas() * sums.ticket_count())), view<T>(in.d_weight));
}

template <bool Chosen>
void dispatch_backward(const CudaBackend& backend, const ChosenRows& chosen, const NormGradients& in) {
    dispatch_stored(in.d_y.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const bool vectors = in_vectors(in.sum) && in_vectors(in.weight) && in_vectors(in.d_y) && in_vectors(in.d_x);
        with_norm_row<T>(in.sum.features(), vectors,
                         [&](const auto& shape) { backward<Chosen, S>(backend, shape, chosen, in); });
    });
}

void dispatch_forward(cudaStream_t stream, const ChosenRows& chosen, const Tensor& x, const Tensor& residual,
                      const Tensor& sum, const Tensor& weight, const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch_stored(y.dtype, [&](auto scalar, auto stored) {
        using S = decltype(stored);
        const bool vectors =
            in_vectors(x) && in_vectors(residual) && in_vectors(sum) && in_vectors(weight) && in_vectors(y);
        with_norm_row<decltype(scalar)>(x.features(), vectors, [&](const auto& shape) {
            forward<S>(stream, shape, chosen, x, residual, sum, weight, y, inverse, epsilon);
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
