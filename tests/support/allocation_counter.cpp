#include "tests/support/allocation_counter.hpp"

#include <omp.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define WHORL_COUNT_ALLOCATIONS
#elif !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) && !__has_feature(memory_sanitizer)
#define WHORL_COUNT_ALLOCATIONS
#endif
#endif

namespace {

std::atomic<bool> armed{false};
std::atomic<long> allocations{0};

[[maybe_unused]] void count() {
    if (armed.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#ifdef WHORL_COUNT_ALLOCATIONS
// glibc's own names of the functions replaced here; its free takes back what they give.
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;

void* malloc(std::size_t size) noexcept {
    count();
    return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) noexcept {
    count();
    return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) noexcept {
    count();
    return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    count();
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    count();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
    count();
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}
}
#endif

namespace whorl::test {
namespace {

void parallel_region() {
#pragma omp parallel for schedule(dynamic, 1) num_threads(2)
    for (int i = 0; i < 64; ++i) static_cast<void>(omp_get_thread_num());
}

// LLVM's OpenMP runtime does, in every parallel region: what the program allocates cannot be told from that.
bool runtime_allocates() {
    parallel_region();  // threads are made once
    const AllocationCount count;
    parallel_region();
    return count.total() > 0;
}

bool malloc_is_replaced() {
    const AllocationCount count;
    void* volatile block = std::malloc(1);
    std::free(block);
    return count.total() > 0;
}

}  // namespace

bool allocations_are_counted() {
    return malloc_is_replaced() && !runtime_allocates();
}

AllocationCount::AllocationCount() {
    allocations = 0;
    armed = true;
}
AllocationCount::~AllocationCount() {
    armed = false;
}
long AllocationCount::total() const {
    return allocations;
}

}  // namespace whorl::test
