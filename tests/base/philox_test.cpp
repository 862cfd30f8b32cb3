#include "core/base/philox.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"

using whorl::philox4x32;
using whorl::PhiloxCounter;
using whorl::Purpose;
using whorl::Random;

namespace {

// The known answers of Random123 (kat_vectors, philox4x32 with 10 rounds).
static_assert(philox4x32({{0, 0, 0, 0}}, {{0, 0}}) == PhiloxCounter{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
static_assert(philox4x32({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, {{0xffffffff, 0xffffffff}}) ==
              PhiloxCounter{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
static_assert(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}) ==
              PhiloxCounter{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});

constexpr std::uint32_t first(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index) {
    Random random(seed, purpose, step, index);
    return random.bits();
}
static_assert(first(1, Purpose::train_data, 2, 3) == first(1, Purpose::train_data, 2, 3));

constexpr std::uint32_t die(std::uint64_t index) {
    Random random(7, Purpose::test_fixture, 0, index);
    return random.below(6);
}
static_assert(die(0) < 6 && die(1) < 6);

constexpr int kDraws = 100000;

}  // namespace

TEST_CASE("every part of the key and every place in the stream gives its own words", "[base]") {
    std::set<std::uint64_t> seen;
    std::size_t streams = 0;
    for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 32})
        for (const Purpose purpose :
             {Purpose::parameter_init, Purpose::train_data, Purpose::validation_data, Purpose::test_data})
            for (const std::uint64_t step : {0ULL, 1ULL, 1ULL << 16, 1ULL << 31, 1ULL << 32, 1ULL << 47})
                for (const std::uint64_t index : {0ULL, 1ULL, 1ULL << 8, 1ULL << 31}) {
                    Random random(seed, purpose, step, index);
                    for (int i = 0; i < 8; ++i) seen.insert(random.bits64());
                    ++streams;
                }
    CHECK(seen.size() == 8 * streams);
}

TEST_CASE("blocks far into a stream do not run into other steps or purposes", "[base]") {
    // 2^18 words on, the block's number has outgrown its 16 bits beside the step.
    Random random(1, Purpose::train_data, 0, 0);
    for (int i = 0; i < (1 << 18); ++i) random.bits();
    const std::uint32_t far = random.bits();
    CHECK(far != first(1, Purpose::train_data, 0, 0));
    for (const Purpose purpose : {Purpose::parameter_init, Purpose::validation_data, Purpose::test_data})
        CHECK(far != first(1, purpose, 0, 0));
    CHECK(far != first(1, Purpose::train_data, 1ULL << 32, 0));
}

TEST_CASE("a copy of a stream draws the same numbers and leaves the original alone", "[base]") {
    Random random(5, Purpose::sampling, 6, 7);
    random.bits();
    Random copy = random;
    const std::uint64_t drawn = copy.bits64();
    CHECK(random.bits64() == drawn);
}

TEST_CASE("bounded draws stay in range and are even", "[base]") {
    // Metric: χ² over n values; its mean is n - 1 and its deviation √(2(n-1)); five deviations, and the draws never
    // change.
    for (const std::uint32_t n : {1U, 2U, 3U, 6U, 97U}) {
        std::vector<int> count(n);
        Random random(11, Purpose::test_fixture, n, 0);
        for (int i = 0; i < kDraws; ++i) ++count.at(random.below(n));
        const double expected = static_cast<double>(kDraws) / n;
        double chi_square = 0;
        for (const int c : count) chi_square += (c - expected) * (c - expected) / expected;
        CAPTURE(n, chi_square);
        CHECK(chi_square <= n - 1 + 5 * std::sqrt(2.0 * (n - 1)));
    }
    Random random(11, Purpose::test_fixture, 0, 0);
    CHECK(random.below(0) == 0);
    std::uint32_t largest = 0;
    for (int i = 0; i < kDraws; ++i) largest = std::max(largest, random.below(0xFFFFFFFFU));
    CHECK(largest > 0xFFFF0000U);
}

TEST_CASE("uniform and normal draws have their moments", "[base]") {
    // Metric: distance of the sample moment from the true one, five standard errors.
    const double root = std::sqrt(static_cast<double>(kDraws));
    double uniform_sum = 0, sum = 0, square = 0, fourth = 0, low = 1, high = 0;
    Random random(13, Purpose::test_fixture, 1, 2);
    for (int i = 0; i < kDraws; ++i) {
        const double u = random.uniform(), z = random.normal();
        uniform_sum += u;
        low = std::min(low, u);
        high = std::max(high, u);
        sum += z;
        square += z * z;
        fourth += z * z * z * z;
    }
    CHECK((low >= 0 && high < 1 && low < 1e-3 && high > 0.999));
    CHECK(std::fabs(uniform_sum / kDraws - 0.5) < 5 * std::sqrt(1.0 / 12) / root);
    CHECK(std::fabs(sum / kDraws) < 5 / root);
    CHECK(std::fabs(square / kDraws - 1) < 5 * std::sqrt(2.0) / root);
    CHECK(std::fabs(fourth / kDraws - 3) < 5 * std::sqrt(96.0) / root);
}

TEST_CASE("normal draws follow the normal distribution function", "[base]") {
    // Metric: Kolmogorov-Smirnov distance times √n; above 2 has a chance of 7e-4, and the draws never change.
    const auto distance = [](double shift) {
        std::vector<double> z;
        Random random(17, Purpose::test_fixture, 3, 0);
        for (int i = 0; i < kDraws; ++i) z.push_back(random.normal() + shift);
        std::sort(z.begin(), z.end());
        double worst = 0;
        for (int i = 0; i < kDraws; ++i)
            worst = std::max(worst, std::fabs(0.5 * std::erfc(-z[static_cast<std::size_t>(i)] / std::sqrt(2.0)) -
                                              (i + 0.5) / kDraws));
        return worst * std::sqrt(static_cast<double>(kDraws));
    };
    CHECK(distance(0) < 2);
    CHECK(distance(0.02) > 2);
}

TEST_CASE("neighbouring streams are not correlated", "[base]") {
    // Metric: correlation of first draws of index and index + 1, five standard errors.
    double product = 0, previous = 0;
    for (int i = 0; i < kDraws; ++i) {
        Random random(19, Purpose::train_data, 0, static_cast<std::uint64_t>(i));
        const double u = (random.uniform() - 0.5) * std::sqrt(12.0);
        product += u * previous;
        previous = u;
    }
    CHECK(std::fabs(product / kDraws) < 5 / std::sqrt(static_cast<double>(kDraws)));
}
