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

TEST_CASE("ranked strips are for layers of which a block has room, narrow ones on smaller GPUs too", "[emulated]") {
    const auto takes = [](std::int64_t kilobytes, int headdim, int state, DType dtype) {
        StateSpaceShape s;
        s.replicas = s.batch = s.heads = 1;
        s.length = 160;
        s.rank = 4;
        s.mimo = true;
        s.state = state;
        s.headdim = headdim;
        s.angles = state / 2;
        s.rotation = Rotation::data_dependent;
        s.gate = {true, OutprojNorm::none};
        s.chunk = 16;
        return ranked_fit_backward(kilobytes * 1024, dtype, s);
    };
    for (const auto& [headdim, state] :
         {std::pair{16, 64}, {32, 16}, {32, 32}, {32, 64}, {32, 128}, {64, 64}, {64, 128}})
        for (const DType dtype : {DType::f32, DType::bf16}) {
            INFO("P " << headdim << ", N " << state);
            CHECK(takes(227, headdim, state, dtype));
            const bool narrow = dtype == DType::bf16 ? headdim * state < 64 * 128 : headdim * state <= 32 * 64;
            CHECK(takes(99, headdim, state, dtype) == narrow);
        }
    CHECK_FALSE(takes(227, 64, 128, DType::f64));
    CHECK_FALSE(takes(227, 20, 64, DType::f32));
    CHECK_FALSE(takes(48, 64, 64, DType::f32));
}
