// What the machine can do at most, measured in the run whose results are compared with it.
#pragma once

#include "core/backend/backend.hpp"
#include "core/config/config_binding.hpp"

namespace whorl {

/// 10⁹ operations a second by arithmetic (two a multiply-add) and 10⁹ bytes a second that a large copy reads and
/// writes; 0: not there. On a processor float32 is the rate of its matrix products on all its threads.
struct MachineLimits {
    double float32_gflops = 0, tf32_gflops = 0, bf16_gflops = 0, copy_gbytes = 0;
};

MachineLimits measure_limits(const Backend& backend);

template <class V>
void describe(V& v, MachineLimits& c) {
    v.field("float32_gflops", c.float32_gflops, at_least(0));
    v.field("tf32_gflops", c.tf32_gflops, at_least(0));
    v.field("bf16_gflops", c.bf16_gflops, at_least(0));
    v.field("copy_gbytes", c.copy_gbytes, at_least(0));
}

}  // namespace whorl
