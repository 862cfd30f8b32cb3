// Nothing is allocated inside a training step. Counts every call of malloc and its kin in this process, operator new included:
// glibc lets a program define them and reach its own under other names.
#include "tests/catch.hpp"
#include "tests/training/small_population.hpp"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WHORL_COUNT_ALLOCATIONS 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef WHORL_COUNT_ALLOCATIONS
#endif
#endif

#ifdef WHORL_COUNT_ALLOCATIONS
#include <atomic>
#include <string>

namespace {
std::atomic<long> allocations{0};
}

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
    ++allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    ++allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) noexcept {
    ++allocations;
    return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    ++allocations;
    return __libc_memalign(alignment, size);
}
}

TEST_CASE("a step allocates nothing while the padded length stays the same", "[training]") {
    const int threads = GENERATE(1, 2);
    for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn", "transformer", "hybrid"}) {
        INFO(preset << ", threads " << threads);
        small::TrainingConfig config = small::training(100, 40);
        config.curriculum = {small::CurriculumShape::linear, 10, 17, 1.0, {}, 0};  // the size grows, the padded length is 16 throughout
        small::Lab lab(small::replicas(), threads, config, preset);
        lab.trainer.step(2);  // threads are made, packing buffers grow to their size
        const long before = allocations.load();
        lab.trainer.step(6);
        CHECK(allocations.load() == before);
    }
    const long before = allocations.load();
    const std::string text(static_cast<std::size_t>(1000 + threads), 'x');  // a size that the compiler does not know
    CHECK(allocations.load() > before);  // the counter counts
    CHECK(text.size() > 1000);
}
#endif
