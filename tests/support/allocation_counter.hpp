// Counts every heap allocation of the program, on all threads, while it is armed: malloc and its relatives are
// replaced, which operator new, Eigen and the OpenMP runtime call as well.
#pragma once

namespace whorl::test {

/// False under a sanitizer or with another C library, where nothing is counted, and where the OpenMP runtime itself
/// allocates while threads work.
bool allocations_are_counted();

class AllocationCount {
public:
    AllocationCount();
    ~AllocationCount();
    AllocationCount(const AllocationCount&) = delete;
    AllocationCount& operator=(const AllocationCount&) = delete;
    long total() const;
};

/// Allocations of one call of `body`, the fewest of three: threads that are not the program's (a GPU driver's) allocate
/// now and then, too.
template <class Body>
long fewest_allocations(const Body& body) {
    long fewest = 0;
    for (int call = 0; call < 3; ++call) {
        const AllocationCount count;
        body();
        if (call == 0 || count.total() < fewest) fewest = count.total();
    }
    return fewest;
}

}  // namespace whorl::test
