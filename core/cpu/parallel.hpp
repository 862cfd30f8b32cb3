// The one place where the CPU backend uses threads: independent tasks over replicas and blocks of the batch.
// Which thread runs a task is left to the runtime; results may not depend on it, so tasks never share sums.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <cstdint>

namespace whorl::cpu {

#ifdef _OPENMP
inline int most_threads() {
    return omp_get_max_threads();
}
inline int current_thread() {
    return omp_get_thread_num();
}
#else  // as for the browser: every task runs in the caller
inline int most_threads() {
    return 1;
}
inline int current_thread() {
    return 0;
}
#endif

/// body(task, thread) for every task in [0, tasks), thread in [0, threads). A single task runs in the caller.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
    if (threads == 1 || tasks <= 1) {
        for (std::int64_t task = 0; task < tasks; ++task) body(task, 0);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::int64_t task = 0; task < tasks; ++task) body(task, current_thread());
}

/// A range of `total` items cut into at most `most` blocks of equal size (the last may be shorter): by shape, never by
/// thread.
struct Blocks {
    std::int64_t total = 0, size = 1, count = 0;
    Blocks(std::int64_t items, std::int64_t smallest, std::int64_t most) : total(items) {
        const std::int64_t wanted = (items + most - 1) / most;
        size = wanted > smallest ? wanted : smallest;
        count = (items + size - 1) / size;
    }
    std::int64_t begin(std::int64_t block) const { return block * size; }
    std::int64_t end(std::int64_t block) const { return begin(block) + size < total ? begin(block) + size : total; }
};

}  // namespace whorl::cpu
