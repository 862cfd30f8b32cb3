// How a mixer's passes run: one task a block of sequences of one replica, a buffer a thread, and, going backward, a
// slot of parameter sums a block, added in the order of the blocks. Blocks follow the batch size, never the threads.
#pragma once

#include "core/cpu/parallel.hpp"
#include "core/cpu/scratch.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {

inline Blocks sequence_blocks(std::int64_t batch) {
    return {batch, 1, 16};
}

/// body(replica, sequence, buffers) for every sequence; Buffers(Scratch&, shape) is made once a task.
template <class Buffers, class Shape, class Body>
void for_each_sequence(int threads, const Tensor& y, const Tensor& scratch, const Shape& shape, const Body& body) {
    const Blocks blocks = sequence_blocks(y.shape[1]);
    const std::int64_t bytes = scratch_bytes<Buffers>(shape);
    parallel_for(threads, y.replicas() * blocks.count, [&](std::int64_t task, int thread) {
        Scratch own(scratch.data + thread * bytes);
        Buffers buffers(own, shape);
        const std::int64_t replica = task / blocks.count, block = task % blocks.count;
        for (std::int64_t b = blocks.begin(block); b < blocks.end(block); ++b) body(replica, b, buffers);
    });
}

/// body(replica, sequence, first, end, buffers) for every sequence and all its parts [first, end): heads, or blocks of
/// positions, that are computed by themselves. Threads share the parts of few long sequences.
template <class Buffers, class Shape, class Body>
void for_each_sequence_part(int threads, const Tensor& y, const Tensor& scratch, const Shape& shape, std::int64_t parts,
                            const Body& body) {
    constexpr std::int64_t kLong = 64;  // positions that are worth a meeting of threads
    const std::int64_t tasks = y.replicas() * sequence_blocks(y.shape[1]).count;
    if (tasks >= threads || y.shape[2] < kLong)
        return for_each_sequence<Buffers>(
            threads, y, scratch, shape,
            [&](std::int64_t r, std::int64_t b, auto& buffers) { body(r, b, std::int64_t{0}, parts, buffers); });
    const Blocks ranges(parts, 1, threads);
    const std::int64_t bytes = scratch_bytes<Buffers>(shape);
    parallel_for(threads, y.replicas() * y.shape[1] * ranges.count, [&](std::int64_t task, int thread) {
        Scratch own(scratch.data + thread * bytes);
        Buffers buffers(own, shape);
        const std::int64_t sequence = task / ranges.count, range = task % ranges.count;
        body(sequence / y.shape[1], sequence % y.shape[1], ranges.begin(range), ranges.end(range), buffers);
    });
}

template <class Buffers, class Sums, class Shape>
std::int64_t backward_scratch_bytes(int threads, const Tensor& y, const Shape& shape) {
    const std::int64_t slots = y.replicas() * sequence_blocks(y.shape[1]).count;
    return threads * scratch_bytes<Buffers>(shape) + slots * scratch_bytes<Sums>(shape);
}

/// As for_each_sequence, with body(replica, sequence, buffers, sums); then collect(replica, sums) once a replica.
template <class T, class Buffers, class Sums, class Shape, class Body, class Collect>
void for_each_sequence_with_sums(int threads, const Tensor& y, const Tensor& scratch, const Shape& shape,
                                 const Body& body, const Collect& collect) {
    const Blocks blocks = sequence_blocks(y.shape[1]);
    const std::int64_t bytes = scratch_bytes<Buffers>(shape), slot_bytes = scratch_bytes<Sums>(shape);
    const std::int64_t slot_count = slot_bytes / static_cast<std::int64_t>(sizeof(T));
    std::byte* slots = scratch.data + threads * bytes;
    parallel_for(threads, y.replicas() * blocks.count, [&](std::int64_t task, int thread) {
        Scratch own(scratch.data + thread * bytes), slot(slots + task * slot_bytes);
        Buffers buffers(own, shape);
        Sums sums(slot, shape);
        fill(T(0), reinterpret_cast<T*>(slots + task * slot_bytes), slot_count);
        const std::int64_t replica = task / blocks.count, block = task % blocks.count;
        for (std::int64_t b = blocks.begin(block); b < blocks.end(block); ++b) body(replica, b, buffers, sums);
    });
    parallel_for(threads, y.replicas(), [&](std::int64_t replica, int) {
        std::byte* first = slots + replica * blocks.count * slot_bytes;
        for (std::int64_t block = 1; block < blocks.count; ++block)
            accumulate(reinterpret_cast<const T*>(first + block * slot_bytes), reinterpret_cast<T*>(first), slot_count);
        Scratch slot(first);
        collect(replica, Sums(slot, shape));
    });
}

/// The part of `saved` that belongs to one sequence, `count` elements each.
template <class T>
T* saved_of(const Tensor& saved, const Tensor& y, std::int64_t replica, std::int64_t sequence, std::int64_t count) {
    return saved.at<T>() + (replica * y.shape[1] + sequence) * count;
}

/// gradient[r] += sum; nothing for an absent parameter.
template <class T>
void add_to(const Tensor& gradient, std::int64_t replica, const T* sum, std::int64_t count) {
    if (gradient) accumulate(sum, gradient.at<T>(replica), count);
}

}  // namespace whorl::cpu
