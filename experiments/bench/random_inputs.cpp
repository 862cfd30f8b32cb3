#include "experiments/bench/random_inputs.hpp"

#include <bit>

namespace whorl {
namespace {

/// About x, of two equal halves: two numbers about as large as x where it is read as bf16.
float twice_bf16(float x) {
    const std::uint32_t half = std::bit_cast<std::uint32_t>(x) >> 16;
    return std::bit_cast<float>(half << 16 | half);
}

}  // namespace

void fill_random(Backend& backend, const Buffer& buffer, std::uint64_t seed) {
    constexpr std::int64_t kPool = std::int64_t{1} << 20, kStep = 4099;  // a prime: repeats do not line up with rows
    std::vector<float> pool(static_cast<std::size_t>(2 * kPool));
    Random random(seed, Purpose::sampling, 0, 0);
    for (std::int64_t i = 0; i < kPool; ++i)
        pool[static_cast<std::size_t>(i)] = pool[static_cast<std::size_t>(i + kPool)] =
            twice_bf16(static_cast<float>(random.uniform(-1, 1)));
    Tensor to;
    to.device = backend.device();
    const std::int64_t count = buffer.size() / 4;
    for (std::int64_t done = 0, piece = 0; done < count; done += kPool, ++piece) {
        to.data = buffer.data() + 4 * done;
        backend.upload(to, pool.data() + piece * kStep % kPool, 4 * std::min(kPool, count - done));
    }
}

std::vector<ReplicaHyper> replica_seeds(std::int64_t replicas) {
    std::vector<ReplicaHyper> list(static_cast<std::size_t>(replicas));
    for (std::size_t r = 0; r < list.size(); ++r) list[r].init_seed = r;
    return list;
}

}  // namespace whorl
