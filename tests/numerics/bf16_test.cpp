// bfloat16 as a stored number: exact to read, rounded to nearest even to write.
#include "core/numerics/bf16.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/philox.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;
using numerics::Bf16;

namespace {

float stored(float x) {
    return Bf16(x);
}

float of_bits(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace

TEST_CASE("what bf16 holds comes back as it was", "[numerics][bf16]") {
    for (std::uint32_t upper = 0; upper < 0x10000; ++upper) {
        const float value = of_bits(upper << 16);
        if (std::isnan(value))
            REQUIRE(std::isnan(stored(value)));
        else if (stored(value) != value || std::signbit(stored(value)) != std::signbit(value))
            FAIL("bits " << upper << " changed");
    }
}

TEST_CASE("what lies between two of its numbers goes to the nearer one, from the middle to the even one",
          "[numerics][bf16]") {
    const float below = of_bits(0x3f800000), above = of_bits(0x3f810000), next = of_bits(0x3f820000);
    CHECK(stored(of_bits(0x3f807fff)) == below);
    CHECK(stored(of_bits(0x3f808000)) == below);  // 0x3f80 is even
    CHECK(stored(of_bits(0x3f808001)) == above);
    CHECK(stored(of_bits(0x3f818000)) == next);  // 0x3f81 is odd
    CHECK(stored(std::numeric_limits<float>::max()) == std::numeric_limits<float>::infinity());
    CHECK(stored(of_bits(0x80000001)) == 0);
    for (std::uint64_t i = 0; i < 10000; ++i) {
        const float x = of_bits(static_cast<std::uint32_t>(Random(1, Purpose::test_fixture, 0, i).bits()));
        if (!std::isfinite(x) || std::abs(x) > 1e38F || std::abs(x) < 1e-37F) continue;
        CHECK(std::abs(stored(x) - x) <= std::ldexp(std::abs(x), -8));
    }
}
