// Random numbers and tokens for benchmarks. Zeros would not do: memory that was never written, and products with zero,
// are faster than the real thing.
#pragma once

#include <algorithm>
#include <vector>

#include "core/backend/backend.hpp"
#include "core/base/philox.hpp"
#include "core/training/replica.hpp"

namespace whorl {

/// Fills memory with numbers in [-1, 1], read as float32 or as bf16: a pool of a million, again and again from another
/// place in it.
void fill_random(Backend& backend, const Buffer& buffer, std::uint64_t seed);

/// Replicas that start from seeds 0, 1, ….
std::vector<ReplicaHyper> replica_seeds(std::int64_t replicas);

/// Random tokens and targets of a bound LanguageModel; every position is supervised when there are as
/// many slots as positions.
template <class Bound>
void upload_random_tokens(const Bound& bound, std::int64_t vocabulary, Backend& backend) {
    const auto& shape = bound.shape();
    const auto tokens = static_cast<std::uint32_t>(vocabulary);
    std::vector<std::int32_t> row(static_cast<std::size_t>(std::max(shape.length, shape.slots)));
    for (std::int64_t r = 0; r < shape.replicas; ++r) {
        for (std::int64_t b = 0; b < shape.batch; ++b) {
            Random random(1, Purpose::sampling, static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(b));
            for (std::int64_t t = 0; t < shape.length; ++t)
                row[static_cast<std::size_t>(t)] = static_cast<std::int32_t>(random.below(tokens));
            Tensor to = bound.tokens();
            to.data = reinterpret_cast<std::byte*>(to.template at<std::int32_t>(r, b));
            backend.upload(to, row.data(), shape.length * 4);
        }
        Random random(2, Purpose::sampling, static_cast<std::uint64_t>(r), 0);
        for (Tensor slots : {bound.supervision().row_of, bound.supervision().target}) {
            const bool rows = slots.data == bound.supervision().row_of.data;
            for (std::int64_t m = 0; m < shape.slots; ++m)
                row[static_cast<std::size_t>(m)] = static_cast<std::int32_t>(rows ? m : random.below(tokens));
            slots.data = reinterpret_cast<std::byte*>(slots.template at<std::int32_t>(r));
            backend.upload(slots, row.data(), shape.slots * 4);
        }
    }
}

}  // namespace whorl
