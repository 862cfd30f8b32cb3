// Blocks and tasks, on which the independence from threads rests; and the fixed blocking of the matrix products.
#include "core/cpu/parallel.hpp"

#include <atomic>
#include <vector>

#include "core/cpu/gemm.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/operation.hpp"

using namespace whorl;
using namespace whorl::cpu;

TEST_CASE("blocks cover every item once, in order, and are at most as many as allowed", "[cpu]") {
    for (const std::int64_t items : {1, 2, 15, 16, 17, 255, 256, 257, 5000})
        for (const std::int64_t smallest : {1, 16, 256})
            for (const std::int64_t most : {1, 16, 64}) {
                const Blocks blocks(items, smallest, most);
                std::int64_t next = 0;
                for (std::int64_t block = 0; block < blocks.count; ++block) {
                    CHECK(blocks.begin(block) == next);
                    CHECK(blocks.end(block) > next);
                    next = blocks.end(block);
                }
                CHECK(next == items);
                CHECK(blocks.count <= most);
            }
    CHECK(Blocks(0, 1, 16).count == 0);
}

TEST_CASE("every task runs once, on a thread below the given number", "[cpu]") {
    for (const int threads : {1, 2, 5})
        for (const std::int64_t tasks : {0, 1, 2, 37}) {
            std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
            std::atomic<bool> known{true};
            parallel_for(threads, tasks, [&](std::int64_t task, int thread) {
                ++runs[static_cast<std::size_t>(task)];
                if (thread < 0 || thread >= threads) known = false;
            });
            for (const auto& count : runs) CHECK(count == 1);
            CHECK(known);
        }
}

TEST_CASE("matrix products write rows of their own stride, assign or add, at all sizes", "[cpu]") {
    pin_gemm_blocking();
    struct Sizes {
        std::int64_t m, n, k;
    };
    for (const Sizes& s :
         {Sizes{1, 1, 1}, {1, 7, 5}, {7, 1, 5}, {5, 7, 1}, {13, 6, 9}, {65, 33, 70}, {9, 21, 300}, {130, 210, 330}}) {
        const std::int64_t ld = s.n + 3;
        const auto a = test::random_numbers(1, 1, s.m * s.k, -1, 1), b = test::random_numbers(1, 2, s.k * s.n, -1, 1);
        std::vector<double> at(a.size()), bt(b.size()), expected(static_cast<std::size_t>(s.m * ld), 1.0);
        for (std::int64_t i = 0; i < s.m; ++i)
            for (std::int64_t j = 0; j < s.k; ++j)
                at[static_cast<std::size_t>(j * s.m + i)] = a[static_cast<std::size_t>(i * s.k + j)];
        for (std::int64_t i = 0; i < s.k; ++i)
            for (std::int64_t j = 0; j < s.n; ++j)
                bt[static_cast<std::size_t>(j * s.k + i)] = b[static_cast<std::size_t>(i * s.n + j)];
        for (std::int64_t i = 0; i < s.m; ++i)
            for (std::int64_t j = 0; j < s.n; ++j)
                for (std::int64_t l = 0; l < s.k; ++l)
                    expected[static_cast<std::size_t>(i * ld + j)] +=
                        a[static_cast<std::size_t>(i * s.k + l)] * b[static_cast<std::size_t>(l * s.n + j)];
        const Matrix<const double> left{a.data(), s.m, s.k, s.k}, right{b.data(), s.k, s.n, s.n};
        const Matrix<const double> left_t{at.data(), s.k, s.m, s.m}, right_t{bt.data(), s.n, s.k, s.k};
        for (int kind = 0; kind < 3; ++kind)
            for (const Write write : {Write::add, Write::assign}) {
                std::vector<double> c(expected.size(), 1.0), wanted = expected;
                for (std::int64_t i = 0; write == Write::assign && i < s.m; ++i)
                    for (std::int64_t j = 0; j < s.n; ++j) wanted[static_cast<std::size_t>(i * ld + j)] -= 1;
                const Matrix<double> target{c.data(), s.m, s.n, ld};
                if (kind == 0) gemm_nn<double>(left, right, target, write);
                if (kind == 1) gemm_nt<double>(left, right_t, target, write);
                if (kind == 2) gemm_tn<double>(left_t, right, target, write);
                INFO("kind " << kind << ", " << s.m << " by " << s.n << " over " << s.k);
                CHECK(test::relative_error(c, wanted) <= 1e-14);  // sums of at most 331 products
            }
    }
}
