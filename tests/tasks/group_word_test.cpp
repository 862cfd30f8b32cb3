#include "tasks/group_word.hpp"

#include <functional>
#include <numeric>
#include <set>
#include <string>

#include "core/base/error.hpp"
#include "tasks/registry.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

using Images = std::vector<int>;

// Evenness by cycles: a cycle of n elements is n-1 exchanges. The generator counts inversions.
bool even(const Images& p) {
    int exchanges = 0;
    std::vector<bool> seen(p.size());
    for (std::size_t i = 0; i < p.size(); ++i)
        for (std::size_t j = i; !seen[j]; j = static_cast<std::size_t>(p[j]))
            seen[j] = true, exchanges += j != i ? 1 : 0;
    return exchanges % 2 == 0;
}

// All elements of S_k or A_k, listed with the standard library; the generator computes each from its rank.
std::vector<Images> permutations(int degree, bool alternating) {
    Images p(static_cast<std::size_t>(degree));
    std::iota(p.begin(), p.end(), 0);
    std::vector<Images> all;
    do {
        if (!alternating || even(p)) all.push_back(p);
    } while (std::next_permutation(p.begin(), p.end()));
    return all;
}

Images after(const Images& a, const Images& b) {
    Images product;
    for (const int image : b) product.push_back(a[static_cast<std::size_t>(image)]);
    return product;
}

// acc∘x by the lists above; for cyclic groups and products by arithmetic on their parts.
using Compose = std::function<std::int64_t(std::int64_t, std::int64_t)>;
Compose naive(int degree, bool alternating) {
    const auto all = permutations(degree, alternating);
    return [all](std::int64_t a, std::int64_t b) {
        const Images product = after(all[static_cast<std::size_t>(a)], all[static_cast<std::size_t>(b)]);
        return std::find(all.begin(), all.end(), product) - all.begin();
    };
}
Compose naive(std::int64_t m) {
    return [m](std::int64_t a, std::int64_t b) { return (a + b) % m; };
}
Compose naive(const Compose& first, const Compose& second, std::int64_t second_order) {
    return [=](std::int64_t a, std::int64_t b) {
        return first(a / second_order, b / second_order) * second_order + second(a % second_order, b % second_order);
    };
}

struct Case {
    const char* name;
    std::int64_t order;
    Compose compose;
};
std::vector<Case> cases() {
    return {{"Z60", 60, naive(60)},
            {"S3", 6, naive(3, false)},
            {"S4", 24, naive(4, false)},
            {"S5", 120, naive(5, false)},
            {"A4", 12, naive(4, true)},
            {"A5", 60, naive(5, true)},
            {"A4xZ5", 60, naive(naive(4, true), naive(5), 5)},
            {"Z2xS3xZ7", 84, naive(naive(naive(2), naive(3, false), 6), naive(7), 7)}};
}

GroupWord task_of(const char* name) {
    GroupWord task;
    task.group = parse_group(name).value();
    return task;
}

}  // namespace

TEST_CASE("group_word: thousands of examples agree with permutations composed one by one", "[tasks]") {
    for (const Case& one : cases()) {
        INFO(one.name);
        const GroupWord task = task_of(one.name);
        REQUIRE(task.vocabulary() == one.order + 2);
        std::vector<std::int64_t> sizes(25), elements(130);
        for (std::uint64_t i = 0; i < 1200; ++i) {
            const Example example = make(task, key(i, 3, 24), 3);
            ++sizes[example.tokens.size()];
            REQUIRE(example.tokens[0] == one.order + 1);
            REQUIRE(example.targets[0] == kUnsupervised);
            std::int64_t product = 0;
            for (std::size_t t = 1; t < example.tokens.size(); ++t) {
                const std::int32_t element = example.tokens[t] - 1;
                REQUIRE(element >= 0);
                REQUIRE(element < one.order);
                ++elements[static_cast<std::size_t>(element)];
                product = one.compose(product, element);
                REQUIRE(example.targets[t] == 1 + product);
            }
        }
        CHECK(uniform(sizes, 3, 22));
        CHECK(uniform(elements, 0, static_cast<std::size_t>(one.order)));
    }
}

TEST_CASE("group_word: the last product alone is asked for with supervise = last and without bos", "[tasks]") {
    GroupWord plain = task_of("S4"), all = plain;
    plain.supervise = Supervise::last;
    plain.bos = false;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Example example = make(plain, key(i, 3, 24)), full = make(all, key(i, 3, 24));
        REQUIRE(example.tokens == std::vector<std::int32_t>(full.tokens.begin() + 1, full.tokens.end()));
        REQUIRE(example.targets.back() == full.targets.back());
        REQUIRE(std::count(example.targets.begin(), example.targets.end(), kUnsupervised) ==
                static_cast<std::ptrdiff_t>(example.targets.size()) - 1);
    }
}

TEST_CASE("groups have an identity and inverses and are associative", "[tasks]") {
    for (const Case& one : cases()) {
        INFO(one.name);
        const FiniteGroup group = parse_group(one.name).value();
        const auto order = static_cast<std::int32_t>(one.order);
        REQUIRE(group.order() == order);
        for (std::int32_t a = 0; a < order; ++a) {
            REQUIRE(group.compose(0, a) == a);
            REQUIRE(group.compose(a, 0) == a);
            std::set<std::int32_t> row;
            for (std::int32_t b = 0; b < order; ++b) {
                row.insert(group.compose(a, b));
                const std::int32_t c = (a * 31 + b * 17) % order;
                REQUIRE(group.compose(group.compose(a, b), c) == group.compose(a, group.compose(b, c)));
            }
            REQUIRE(row.size() == static_cast<std::size_t>(order));
        }
    }
}

TEST_CASE("group_word: the newest element acts first", "[tasks]") {
    constexpr FiniteGroup s3{{{GroupKind::symmetric, 3}}, 1};
    // 213 after 132: 1 → 1 → 2, 2 → 3 → 3, 3 → 2 → 1.
    STATIC_REQUIRE(s3.compose(2, 1) == 3);
    STATIC_REQUIRE(s3.compose(1, 2) == 4);
    CHECK(element_text(s3, 2) == "213");
    CHECK(element_text(s3, 1) == "132");
    CHECK(element_text(s3, 3) == "231");
    CHECK(element_text(parse_group("A5").value(), 1) == "12453");
    CHECK(element_text(parse_group("A4xZ5").value(), 59) == "4321,4");
}

TEST_CASE("group_word: names of groups are read and written and refused", "[tasks]") {
    for (const char* name : {"Z2", "Z4096", "S3", "A5", "S5xZ2", "Z2xZ2xZ2xZ2", "A5xS3"})
        CHECK(group_name(parse_group(name).value()) == name);
    for (const char* name : {"", "Z", "Z1", "Z4097", "S2", "S6", "A6", "B3", "s3", "S3x", "xS3", "S3*Z2", "Z-5", "Z5 ",
                             "Z99999999999", "S5xS5", "Z2xZ2xZ2xZ2xZ2"})
        CHECK_FALSE(parse_group(name).has_value());
    const auto message = message_of<UserError>([] { find_task("group_word", {"group=S7"}); });
    CHECK_THAT(message, Catch::Matchers::ContainsSubstring("--set group: expected Z2 … Z4096, S3, S4, S5"));
    CHECK(std::get<GroupWord>(find_task("group_word", {"group=S3xZ2"})).group.order() == 12);
}
