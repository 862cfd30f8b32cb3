// Finite groups whose elements are the numbers 0 … order-1, with 0 the identity: Z_m, the symmetric groups S3, S4, S5,
// the alternating groups A3, A4, A5 (A5 is the smallest whose word problem is complete for NC1, Barrington 1989), and
// direct products of them.
//
// Element i of Z_m is i. Element i of S_k is the permutation of rank i among all in lexicographic order, each written
// as the images of 1 … k: 123, 132, 213, … Element i of A_k is the i-th even one in that order. An element of a product
// is the mixed-radix number of its parts, the first part being the most significant.
//
// Permutations are composed as functions: (a∘b)(x) = a(b(x)), b acts first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/numerics/host_device.hpp"

namespace whorl {

enum class GroupKind { cyclic, symmetric, alternating };

inline constexpr int kLargestDegree = 5, kMostFactors = 4;
inline constexpr std::int32_t kLargestGroup = 4096;

struct GroupFactor {
    GroupKind kind = GroupKind::cyclic;
    std::int32_t degree = 2;  // m of Z_m, k of S_k and A_k

    WHORL_HD constexpr std::int32_t order() const {
        if (kind == GroupKind::cyclic) return degree;
        std::int32_t permutations = 1;
        for (std::int32_t i = 2; i <= degree; ++i) permutations *= i;
        return kind == GroupKind::symmetric ? permutations : permutations / 2;
    }
    friend constexpr bool operator==(const GroupFactor&, const GroupFactor&) = default;
};

/// Images of 0 … degree-1.
struct Permutation {
    std::int32_t image[kLargestDegree] = {};
};

/// The permutation of `rank` in lexicographic order, by the digits of its factorial number.
WHORL_HD constexpr Permutation permutation_of_rank(std::int32_t rank, std::int32_t degree) {
    Permutation p;
    for (std::int32_t i = degree - 1; i >= 0; --i) {
        p.image[i] = rank % (degree - i);  // how many smaller images follow
        rank /= degree - i;
        for (std::int32_t j = i + 1; j < degree; ++j) p.image[j] += p.image[j] >= p.image[i] ? 1 : 0;
    }
    return p;
}

WHORL_HD constexpr std::int32_t rank_of(const Permutation& p, std::int32_t degree) {
    std::int32_t rank = 0;
    for (std::int32_t i = 0; i < degree; ++i) {
        rank *= degree - i;
        for (std::int32_t j = i + 1; j < degree; ++j) rank += p.image[j] < p.image[i] ? 1 : 0;
    }
    return rank;
}

WHORL_HD constexpr bool is_even(const Permutation& p, std::int32_t degree) {
    std::int32_t inversions = 0;
    for (std::int32_t i = 0; i < degree; ++i)
        for (std::int32_t j = i + 1; j < degree; ++j) inversions += p.image[j] < p.image[i] ? 1 : 0;
    return inversions % 2 == 0;
}

/// Element `index` of S_k or A_k. Ranks 2i and 2i+1 differ by an exchange of the last two images: one of them is even.
WHORL_HD constexpr Permutation permutation_of(const GroupFactor& factor, std::int32_t index) {
    if (factor.kind == GroupKind::symmetric) return permutation_of_rank(index, factor.degree);
    const Permutation p = permutation_of_rank(2 * index, factor.degree);
    return is_even(p, factor.degree) ? p : permutation_of_rank(2 * index + 1, factor.degree);
}

/// a∘b in one factor.
WHORL_HD constexpr std::int32_t compose(const GroupFactor& factor, std::int32_t a, std::int32_t b) {
    if (factor.kind == GroupKind::cyclic) return (a + b) % factor.degree;
    const Permutation p = permutation_of(factor, a), q = permutation_of(factor, b);
    Permutation product;
    for (std::int32_t i = 0; i < factor.degree; ++i) product.image[i] = p.image[q.image[i]];
    const std::int32_t rank = rank_of(product, factor.degree);
    return factor.kind == GroupKind::symmetric ? rank : rank / 2;
}

struct FiniteGroup {
    GroupFactor factor[kMostFactors];
    std::int32_t factors = 1;

    WHORL_HD constexpr std::int32_t order() const {
        std::int32_t order = 1;
        for (std::int32_t f = 0; f < factors; ++f) order *= factor[f].order();
        return order;
    }
    /// a∘b. Both in 0 … order-1.
    WHORL_HD constexpr std::int32_t compose(std::int32_t a, std::int32_t b) const {
        std::int32_t product = 0, place = 1;
        for (std::int32_t f = factors - 1; f >= 0; --f) {
            const std::int32_t order = factor[f].order();
            product += place * whorl::compose(factor[f], a % order, b % order);
            place *= order, a /= order, b /= order;
        }
        return product;
    }
    friend constexpr bool operator==(const FiniteGroup&, const FiniteGroup&) = default;
};

/// "Z60", "S5", "A4xZ5", …; empty for anything else, for more than kMostFactors factors and more than kLargestGroup
/// elements.
std::optional<FiniteGroup> parse_group(const std::string& name);
std::string group_name(const FiniteGroup& group);
/// What parse_group takes, in words.
const char* group_names();

/// How people write an element: 7 in Z_m, 21345 in S5 and A5, 2134,3 in A4xZ5.
std::string element_text(const FiniteGroup& group, std::int32_t element);

}  // namespace whorl
