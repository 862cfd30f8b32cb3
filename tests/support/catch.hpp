// Catch2, whichever version the distribution has: 2 on Debian 12, 3 on newer ones. Tests are written for version 3, in
// the parts that both have: TEST_CASE, TEMPLATE_TEST_CASE, SECTION, GENERATE, CHECK…, Approx, the matchers, SKIP.
#pragma once

#ifdef WHORL_CATCH2_V2
#include <catch2/catch.hpp>

namespace Catch {
using Detail::Approx;
namespace Matchers {
inline auto ContainsSubstring(const std::string& part) {
    return Contains(part);
}
}  // namespace Matchers
}  // namespace Catch

// Usable in a test's own body only, where version 3's may stand in a helper too.
#define SKIP(reason)                 \
    do {                             \
        WARN("skipped: " << reason); \
        return;                      \
    } while (false)
#else
// Parts, not catch_all.hpp, which takes longer to compile.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_adapters.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <catch2/matchers/catch_matchers_vector.hpp>

using Catch::Approx;  // version 2 has it at the top level
#endif
