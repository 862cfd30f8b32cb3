// A batch without what no loss depends on: the model is causal, so a sequence can end at its last supervised position.
#include <cub/block/block_scan.cuh>

#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/tiles/block.cuh"

namespace whorl::gpu {
namespace {

constexpr int kPackedTogether = kBlockThreads / 32;  // sequences of a block, a warp each

struct PackBatch {
    View<int> tokens, row_of, packed_tokens, packed_row_of;
    int* starts;
    std::int64_t batch, length, slots;  // slots: of a sequence

    /// Positions of a sequence up to the last supervised one.
    __device__ int length_of(std::int64_t r, std::int64_t b) const {
        const int* rows = row_of.at(r) + b * slots;
        for (std::int64_t slot = slots - 1; slot >= 0; --slot)
            if (rows[slot] >= 0) return rows[slot] - static_cast<int>(b * length) + 1;
        return 0;
    }
};

/// Grid: (blocks of sequences, replicas). Each block adds up by itself where its sequences begin: its last threads have
/// one of them each, the others share all that come before.
__global__ void __launch_bounds__(kBlockThreads) pack_batch_kernel(const PackBatch p) {
    const std::int64_t r = blockIdx.y, first = std::int64_t{blockIdx.x} * kPackedTogether;
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
    constexpr int sharers = kBlockThreads - kPackedTogether;
    __shared__ int start[kPackedTogether + 1];
    int length = 0, sum;
    if (thread < sharers)
        for (std::int64_t b = thread; b < first; b += sharers) length += p.length_of(r, b);
    else if (first + thread - sharers < p.batch)
        length = p.length_of(r, first + thread - sharers);
    cub::BlockScan<int, kBlockThreads>().InclusiveSum(length, sum);
    if (thread >= sharers - 1) start[thread - (sharers - 1)] = sum;
    __syncthreads();
    const std::int64_t b = first + warp;
    if (b >= p.batch) return;
    const int before = start[warp], own = start[warp + 1] - before;
    int* starts = p.starts + r * (p.batch + 1) + b;
    if (lane == 0) starts[0] = before;
    if (lane == 0 && b + 1 == p.batch) starts[1] = before + own;
    for (int t = lane; t < own; t += 32) p.packed_tokens.at(r)[before + t] = p.tokens.at(r, b)[t];
    for (std::int64_t slot = b * p.slots + lane; slot < (b + 1) * p.slots; slot += 32) {
        const int row = p.row_of.at(r)[slot];
        p.packed_row_of.at(r)[slot] = row < 0 ? row : row - static_cast<int>(b * p.length) + before;
    }
}

}  // namespace

void CudaBackend::pack_batch(const Tensor& tokens, const Tensor& row_of, const PackedBatch& packed) {
    const std::int64_t batch = tokens.shape[1];
    const PackBatch body{view<int>(tokens),        view<int>(row_of),        view<int>(packed.tokens),
                         view<int>(packed.row_of), packed.starts.at<int>(),  batch,
                         tokens.features(),        row_of.features() / batch};
    launch("pack_batch", pack_batch_kernel,
           dim3(grid_size(ceil_div(batch, kPackedTogether)), grid_size(tokens.replicas())), dim3(kBlockThreads), 0,
           stream_, body);
}

}  // namespace whorl::gpu
