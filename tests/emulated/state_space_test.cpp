// What the GPU backend plans for GPUs that are not there.
#include "gpu/state_space/state_space.cuh"

#include "tests/support/catch.hpp"

using namespace whorl;
using namespace whorl::gpu;

namespace {

int chunk_of(std::int64_t kilobytes, int state, int headdim, DType dtype = DType::f32) {
    StateSpaceShape s;
    s.replicas = s.batch = 1;
    s.length = 160;
    s.heads = 1;
    s.state = state;
    s.headdim = headdim;
    s.angles = state / 2;
    s.rotation = Rotation::data_dependent;
    return choose_chunk(kilobytes * 1024, dtype, s, {});
}

}  // namespace

TEST_CASE("smaller GPUs take shorter chunks, none is left with single positions", "[emulated]") {
    for (const std::int64_t kilobytes : {63, 98, 162, 226})
        for (const auto& [state, headdim] : {std::pair{64, 16}, {64, 32}, {64, 64}, {128, 64}, {16, 8}, {256, 256}})
            for (const DType dtype : {DType::f32, DType::f64}) {
                INFO(kilobytes << " KiB, N " << state << ", P " << headdim);
                CHECK(chunk_of(kilobytes, state, headdim, dtype) >= 8);
            }
    CHECK(chunk_of(63, 64, 16) >= 16);    // a T4 and the tables' layers
    CHECK(chunk_of(162, 128, 64) >= 16);  // an A100
    CHECK(chunk_of(98, 64, 16) == 64);    // in strips, forward and backward
    CHECK(chunk_of(226, 128, 64) == 64);
    CHECK(chunk_of(226, 128, 64, DType::f64) < 64);
}
