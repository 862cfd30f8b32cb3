// Mean cross-entropy over each replica's supervised rows, its gradient, and the count of argmax hits. Sums in double,
// in the order of the blocks.
#include "core/numerics/activations.hpp"
#include "gpu/runtime/block_sum.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/runtime/launch.cuh"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {
namespace {

constexpr int kThreads = 1024;            // few blocks of many threads: each block reads all of row_of
constexpr std::int64_t kLeastRows = 256;  // of a block
constexpr std::int64_t kMostBlocks = 256;
static_assert(kMostBlocks <= kThreads);  // one thread adds one block's sums

struct LossSums {
    double loss = 0, correct = 0;

    __device__ friend LossSums operator+(const LossSums& a, const LossSums& b) {
        return {a.loss + b.loss, a.correct + b.correct};
    }
};

template <class T>
struct Loss {
    View<T> logits, d_logits;
    View<int> row_of, target;
    int slots, vocabulary, lanes, rows_per_block;  // lanes: threads of one row, a power of two up to a warp
    T smoothing;
    bool aligned;  // row_of: four at a time
};

/// A row's logits as one of its threads has them: every so many, the first of them in registers.
template <class T>
struct RowShare {
    static constexpr int kKept = 4;  // all there are, of up to 128
    const T* row;
    int n, lane, lanes;
    T kept[kKept];

    __device__ RowShare(const T* from, int count, int own_lane, int all_lanes)
        : row(from), n(count), lane(own_lane), lanes(all_lanes) {
#pragma unroll
        for (int i = 0; i < kKept; ++i) kept[i] = place(i) < n ? row[place(i)] : T(0);
    }
    __device__ int place(int i) const {
        return lane + i * lanes;
    }
    /// body(place, logit)
    template <class Body>
    __device__ void each(const Body& body) const {
#pragma unroll
        for (int i = 0; i < kKept; ++i)
            if (place(i) < n) body(place(i), kept[i]);
        for (int j = place(kKept); j < n; j += lanes) body(j, row[j]);
    }
    /// By hand, as NormRow's (norm_rows.cuh).
    __device__ T add_lanes(T value) const {
        for (int distance = lanes / 2; distance > 0; distance /= 2)
            value += __shfl_xor_sync(0xffffffffU, value, distance);
        return value;
    }
    /// The largest logit of the row and the first place where it stands.
    __device__ void highest(T& value, int& at) const {
        value = -numerics::detail::infinity<T>;
        at = n;
        each([&](int j, T logit) {
            if (logit > value || at == n) value = logit, at = j;
        });
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            const T other = __shfl_xor_sync(0xffffffffU, value, distance);
            const int there = __shfl_xor_sync(0xffffffffU, at, distance);
            if (there < n && (at == n || other > value || (other == value && there < at))) value = other, at = there;
        }
    }
};

/// What the blocks of one replica leave, and where the last of them puts the replica's.
struct LossTotals {
    LossSums* partial;
    unsigned* tickets;
    View<double> loss, correct, used;

    /// Called by all threads of a block, with what each has added; `count`: the replica's used slots.
    __device__ void finish(const LossSums& of_thread, double count) const {
        const std::int64_t r = blockIdx.y;
        LossSums* all = partial + r * gridDim.x;
        const LossSums own = block_sum<kThreads>(of_thread);
        if (threadIdx.x == 0) all[blockIdx.x] = own;
        if (!last_to_arrive(tickets + r, gridDim.x)) return;
        LossSums sums;
        if (threadIdx.x < gridDim.x) sums = {__ldcg(&all[threadIdx.x].loss), __ldcg(&all[threadIdx.x].correct)};
        sums = block_sum<kThreads>(sums);
        if (threadIdx.x != 0) return;
        *loss.at(r) = count > 0 ? sums.loss / count : 0;
        *correct.at(r) = sums.correct;
        *used.at(r) = count;
    }
};

/// How many of the slots this thread has to count are used; the threads of a block count all.
__device__ int used_slots(const int* row_of, int slots, bool aligned) {
    int used = 0, first = 0;
    if (aligned) {
        const auto* fours = reinterpret_cast<const Vector<int, 4>*>(row_of);
        first = slots / 4 * 4;
#pragma unroll 16
        for (int m = static_cast<int>(threadIdx.x); m < slots / 4; m += kThreads) {
            const Vector<int, 4> four = fours[m];
#pragma unroll
            for (int e = 0; e < 4; ++e) used += four.at[e] >= 0 ? 1 : 0;
        }
    }
    for (int m = first + static_cast<int>(threadIdx.x); m < slots; m += kThreads) used += row_of[m] >= 0 ? 1 : 0;
    return used;
}

/// Their sum in every thread.
__device__ int used_in_block(int used) {
    __shared__ int all;
    used = block_sum<kThreads>(used);
    if (threadIdx.x == 0) all = used;
    __syncthreads();
    return all;
}

/// What a thread has to do with one slot.
template <class T>
struct LossRow {
    bool inside, live;  // live: with a loss
    int target;
    RowShare<T> share;

    /// `m` is one of the block's slots if `inside`.
    __device__ LossRow(const Loss<T>& in, std::int64_t r, int m, bool is_inside)
        : inside(is_inside),
          live(inside && in.row_of.at(r)[m] >= 0),
          target(inside ? in.target.at(r)[m] : 0),
          share(inside ? in.logits.at(r, 0, m) : nullptr, inside ? in.vocabulary : 0,
                static_cast<int>(threadIdx.x) % in.lanes, in.lanes) {}
};

/// Grid: (blocks of slots, replicas). Every block counts the used slots of its replica for itself.
template <class T>
__global__ void __launch_bounds__(kThreads) loss_kernel(Loss<T> in, LossTotals totals) {
    const std::int64_t r = blockIdx.y;
    const int begin = static_cast<int>(blockIdx.x) * in.rows_per_block, step = kThreads / in.lanes;
    const auto load = [&](int first) {
        const int i = first + static_cast<int>(threadIdx.x) / in.lanes;
        return LossRow<T>(in, r, begin + i, i < in.rows_per_block && begin + i < in.slots);
    };
    LossRow<T> next = load(0);  // on its way while the slots are counted
    const double count = used_in_block(used_slots(in.row_of.at(r), in.slots, in.aligned));
    const T weight = count > 0 ? static_cast<T>(1 / count) : T(0), share = in.smoothing / static_cast<T>(in.vocabulary);
    LossSums sums;
    for (int first = 0; first < in.rows_per_block; first += step) {
        // All threads take part in the shuffles, whatever their slot.
        const LossRow<T> own = next;
        next = load(first + step);
        T highest, total = 0, sum = 0;
        int place;
        own.share.highest(highest, place);
        own.share.each([&](int, T logit) {
            total += numerics::exp(logit - highest);
            sum += logit;
        });
        total = own.share.add_lanes(total);
        sum = own.share.add_lanes(sum);
        if (own.live && own.share.lane == 0) {
            sums.loss += static_cast<double>(numerics::log(total) + highest -
                                             (1 - in.smoothing) * own.share.row[own.target] - share * sum);
            sums.correct += place == own.target ? 1 : 0;
        }
        __syncwarp();
        if (!in.d_logits || !own.inside) continue;
        T* d = in.d_logits.at(r, 0, begin + first + static_cast<int>(threadIdx.x) / in.lanes);
        own.share.each([&](int j, T logit) {
            T slope = own.live ? (numerics::exp(logit - highest) / total - share) * weight : T(0);
            if (own.live && j == own.target) slope -= (1 - in.smoothing) * weight;
            d[j] = slope;
        });
    }
    totals.finish(sums, count);
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
        const std::int64_t rows = std::max(kLeastRows, ceil_div(slots, std::min(room, kMostBlocks)));
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
