// Mean cross-entropy over each replica's supervised rows, its gradient, and the count of argmax hits. Sums in double,
// in the order of the blocks.
#include "core/numerics/activations.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/last_block.cuh"
#include "gpu/launch.cuh"
#include "gpu/pack.cuh"

namespace whorl::gpu {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMostBlocks = kThreads;  // one thread adds one block's sums

struct LossSums {
    double loss, correct, used;  // used: of the whole replica
};

template <class T>
struct Loss {
    View<T> logits, d_logits;
    View<int> row_of, target;
    int slots, vocabulary, lanes, rows_per_block;  // lanes: threads of one row, a power of two up to a warp
    T smoothing;
    bool aligned;  // row_of: four at a time
};

/// The largest logit of a row and the first place where it stands, over `lanes` neighbouring threads.
template <class T>
__device__ void highest_of(const T* row, int n, int lane, int lanes, T& value, int& place) {
    value = -numerics::detail::infinity<T>;
    place = n;
    for (int j = lane; j < n; j += lanes)
        if (row[j] > value || place == n) {
            value = row[j];
            place = j;
        }
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
        const T other = __shfl_xor_sync(0xffffffffU, value, distance);
        const int at = __shfl_xor_sync(0xffffffffU, place, distance);
        if (at < n && (place == n || other > value || (other == value && at < place))) {
            value = other;
            place = at;
        }
    }
}

template <class T>
__device__ T lanes_sum(T value, int lanes) {
    for (int distance = lanes / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}

/// The sum over the block, in the order of warps; valid in thread 0.
__device__ double block_sum(double value) {
    __shared__ double warps[kThreads / 32];
    value = warp_sum(value);
    __syncthreads();
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    double sum = 0;
    for (const double warp : warps) sum += warp;
    return sum;
}

/// What the blocks of one replica leave, and where the last of them puts the replica's.
struct LossTotals {
    LossSums* partial;
    unsigned* tickets;
    View<double> loss, correct, used;

    /// Called by all threads of a block; `own` is thread 0's.
    __device__ void finish(const LossSums& own) const {
        const std::int64_t r = blockIdx.y;
        LossSums* all = partial + r * gridDim.x;
        if (threadIdx.x == 0) all[blockIdx.x] = own;
        if (!last_to_arrive(tickets + r, gridDim.x)) return;
        const bool inside = threadIdx.x < gridDim.x;
        const double total = block_sum(inside ? __ldcg(&all[threadIdx.x].loss) : 0.0),
                     hits = block_sum(inside ? __ldcg(&all[threadIdx.x].correct) : 0.0);
        if (threadIdx.x != 0) return;
        *loss.at(r) = own.used > 0 ? total / own.used : 0;
        *correct.at(r) = hits;
        *used.at(r) = own.used;
    }
};

/// How many of the slots this thread has to count are used; the threads of a block count all.
__device__ int used_slots(const int* row_of, int slots, bool aligned) {
    int used = 0, first = 0;
    if (aligned) {
        const auto* fours = reinterpret_cast<const Pack<int, 4>*>(row_of);
        first = slots / 4 * 4;
#pragma unroll 16
        for (int m = static_cast<int>(threadIdx.x); m < slots / 4; m += kThreads) {
            const Pack<int, 4> four = fours[m];
#pragma unroll
            for (int e = 0; e < 4; ++e) used += four.at[e] >= 0 ? 1 : 0;
        }
    }
    for (int m = first + static_cast<int>(threadIdx.x); m < slots; m += kThreads) used += row_of[m] >= 0 ? 1 : 0;
    return used;
}

/// Grid: (blocks of slots, replicas). Every block counts the used slots of its replica for itself.
template <class T>
__global__ void loss_kernel(Loss<T> in, LossTotals totals) {
    const std::int64_t r = blockIdx.y;
    const int* row_of = in.row_of.at(r);
    const double count = block_sum(used_slots(row_of, in.slots, in.aligned));
    const T weight = count > 0 ? static_cast<T>(1 / count) : T(0), share = in.smoothing / static_cast<T>(in.vocabulary);
    const int lane = static_cast<int>(threadIdx.x) % in.lanes, n = in.vocabulary;
    const int begin = static_cast<int>(blockIdx.x) * in.rows_per_block, step = kThreads / in.lanes;
    double loss = 0, correct = 0;
    for (int first = 0; first < in.rows_per_block; first += step) {
        // All threads take part in the shuffles, behind the last slot with an empty row.
        const int i = first + static_cast<int>(threadIdx.x) / in.lanes, m = begin + i;
        const bool inside = i < in.rows_per_block && m < in.slots, live = inside && row_of[m] >= 0;
        const T* row = inside ? in.logits.at(r, 0, m) : nullptr;
        T highest;
        int place;
        highest_of(row, live ? n : 0, lane, in.lanes, highest, place);
        T total = 0, sum = 0;
        for (int j = lane; j < (live ? n : 0); j += in.lanes) {
            total += numerics::exp(row[j] - highest);
            sum += row[j];
        }
        total = lanes_sum(total, in.lanes);
        sum = lanes_sum(sum, in.lanes);
        const int target = live ? in.target.at(r)[m] : 0;
        if (live && lane == 0) {
            loss +=
                static_cast<double>(numerics::log(total) + highest - (1 - in.smoothing) * row[target] - share * sum);
            correct += place == target ? 1 : 0;
        }
        __syncwarp();
        if (!in.d_logits || !inside) continue;
        T* d = in.d_logits.at(r, 0, m);
        for (int j = lane; j < n; j += in.lanes) {
            T slope = live ? (numerics::exp(row[j] - highest) / total - share) * weight : T(0);
            if (live && j == target) slope -= (1 - in.smoothing) * weight;
            d[j] = slope;
        }
    }
    loss = block_sum(loss);
    correct = block_sum(correct);
    totals.finish({loss, correct, count});
}

int lanes_of(std::int64_t vocabulary) {
    int lanes = 1;
    while (lanes < 32 && lanes * 4 < vocabulary) lanes *= 2;
    return lanes;
}

}  // namespace

void CudaBackend::cross_entropy(const Tensor& logits, const Supervision& supervision, std::int64_t vocabulary,
                                const Tensor& loss, const Tensor& correct, const Tensor& used, const Tensor& d_logits) {
    dispatch(logits.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t slots = logits.rows(), replicas = logits.replicas();
        const std::int64_t room = partial_.size() / static_cast<std::int64_t>(sizeof(LossSums)) / replicas;
        const std::int64_t rows = std::max<std::int64_t>(64, ceil_div(slots, std::min(room, kMostBlocks)));
        const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(slots, rows));
        const Loss<T> body{view<T>(logits),
                           view<T>(d_logits),
                           view<int>(supervision.row_of),
                           view<int>(supervision.target),
                           static_cast<int>(slots),
                           static_cast<int>(vocabulary),
                           lanes_of(vocabulary),
                           static_cast<int>(rows),
                           static_cast<T>(supervision.label_smoothing),
                           reinterpret_cast<std::uintptr_t>(supervision.row_of.data) % 16 == 0 &&
                               supervision.row_of.stride[0] % 4 == 0};
        const LossTotals totals{reinterpret_cast<LossSums*>(partial_.data()), tickets(replicas), view<double>(loss),
                                view<double>(correct), view<double>(used)};
        launch("cross_entropy", loss_kernel<T>, dim3(grid_size(blocks), grid_size(replicas)), dim3(kThreads), 0,
               stream_, body, totals);
    });
}

}  // namespace whorl::gpu
