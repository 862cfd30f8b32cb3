#include "app/bench/random_inputs.hpp"

#include "core/numerics/bf16.hpp"

namespace whorl {
namespace {

/// A number whose lower half is one of bf16, so that memory of either kind holds numbers between -1 and 1.
float number_of_either_kind(Random& random) {
    const std::uint32_t upper = numerics::Bf16(static_cast<float>(random.uniform(-1, 1))).bits,
                        lower = numerics::Bf16(static_cast<float>(random.uniform(-1, 1))).bits;
    return numerics::detail::from_bits<float>(upper << 16 | lower);
}

}  // namespace

void fill_random(Backend& backend, const Buffer& buffer, std::uint64_t seed) {
    // Drawn by the host, so that every device gets the same.
    constexpr std::int64_t kPool = std::int64_t{1} << 20, kStep = 4099;  // a prime: repeats do not line up with rows
    std::vector<float> pool(static_cast<std::size_t>(2 * kPool));
    Random random(seed, Purpose::sampling, 0, 0);
    for (std::int64_t i = 0; i < kPool; ++i)
        pool[static_cast<std::size_t>(i)] = pool[static_cast<std::size_t>(i + kPool)] = number_of_either_kind(random);
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
