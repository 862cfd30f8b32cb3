// A grid of shapes, most of them awkward: CPU and GPU agree, in float and in double.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"
#include "tests/support/small_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

struct Sizes {
    std::int64_t headdim, state, heads, groups, rank, length, batch, replicas;  // rank 0: SISO
};

const Sizes kSizes[] = {{4, 4, 1, 1, 0, 1, 1, 1},      {4, 128, 2, 1, 0, 33, 2, 1},   {128, 4, 2, 1, 0, 17, 2, 1},
                        {128, 128, 1, 1, 0, 65, 1, 1}, {20, 36, 3, 3, 0, 65, 2, 2},   {64, 64, 32, 1, 0, 31, 1, 1},
                        {32, 64, 4, 1, 0, 255, 2, 1},  {16, 16, 4, 2, 0, 1024, 1, 1}, {100, 72, 2, 1, 0, 50, 1, 1},
                        {8, 8, 2, 1, 0, 13, 3, 64},    {33, 7, 8, 4, 0, 100, 1, 3}};
const Sizes kRanks[] = {
    {8, 12, 4, 2, 2, 37, 2, 1}, {16, 32, 2, 1, 4, 63, 2, 2}, {12, 20, 2, 1, 8, 41, 1, 1}, {64, 128, 2, 1, 4, 40, 1, 1}};

void check_mamba3(const Sizes& s) {
    Mamba3Config config = mamba3_config(s.headdim, s.state, s.groups, s.rank);
    check_backends(mamba3(config, {s.batch, s.length, s.heads}), s.length, 3, s.replicas);
}

}  // namespace

TEST_CASE("mamba3 agrees between backends over a grid of shapes", "[backend][mamba3][shapes]") {
    for (const Sizes& s : kSizes) check_mamba3(s);
    for (const Sizes& s : kRanks) check_mamba3(s);
}

// gpu/state_space/state_space_strips.cuh lists them; a chunk's room is filled wholly, partly and several times. Its
// kernels read rows that start at an even number alone; others have the rest.
TEST_CASE("sizes that kernels are compiled for agree between backends with every option", "[backend][mamba3][shapes]") {
    const auto check = [](const Mamba3Config& config, const MixerShape& shape, std::int64_t replicas,
                          const FormChoice& form = {}) {
        Operation operation = mamba3(config, shape, form);
        check_backends(operation, shape.length, 3, replicas);
        align_rows(operation);
        check_backends(operation, shape.length, 3, replicas);
    };
    for (const Sizes& s :
         {Sizes{16, 64, 2, 1, 0, 64, 1, 1}, Sizes{16, 64, 4, 2, 0, 101, 1, 2}, Sizes{32, 64, 2, 1, 0, 64, 1, 1},
          Sizes{32, 64, 2, 1, 0, 53, 1, 1}, Sizes{64, 64, 1, 1, 0, 32, 1, 1}, Sizes{64, 64, 1, 1, 0, 71, 1, 1},
          Sizes{64, 128, 1, 1, 0, 48, 1, 1}, Sizes{64, 128, 1, 1, 0, 100, 1, 1}})
        check(mamba3_config(s.headdim, s.state, s.groups, s.rank), {s.batch, s.length, s.heads}, s.replicas);
    for (const int chunk : {2, 7, 20, 33, 48, 64})  // in strips of 16, with a short one last
        check(mamba3_config(32, 64), {1, 131, 1}, 1, {Form::chunked, chunk});
    std::vector<Mamba3Config> configs;
    const auto with = [&](const auto& change) {
        configs.push_back(mamba3_config(16, 64));
        change(configs.back());
    };
    for (const OutprojNorm norm : {OutprojNorm::none, OutprojNorm::pre_gate, OutprojNorm::post_gate})
        for (const Rotation rotation : {Rotation::data_dependent, Rotation::standard, Rotation::none})
            with([&](Mamba3Config& c) { c.outproj_norm = norm, c.rotation = rotation; });
    with([](Mamba3Config& c) { c.rope_fraction = 0.25; });
    with([](Mamba3Config& c) { c.bc_norm = false; });
    with([](Mamba3Config& c) { c.bc_bias = BcBias::none; });
    with([](Mamba3Config& c) { c.a_activation = AActivation::heavy_tail; });
    with([](Mamba3Config& c) { c.a_source = ASource::per_head; });
    with([](Mamba3Config& c) { c.discretization = Discretization::euler; });
    for (const Mamba3Config& config : configs) check(config, {1, 73, 2}, 1);
    configs.back().rope_fraction = 0.3;  // an odd number of angles: what heads keep still begins at pairs
    check(configs.back(), {2, 73, 3}, 1);
    // Two warps a strip share its angles: all, one's and a part of the other's, a part of one's, standard ones, none;
    // over a first, a middle and a last chunk.
    Mamba3Config shared = mamba3_config(64, 128, 2);
    shared.rope_fraction = 1;
    check(shared, {2, 150, 2}, 2);
    check(shared, {1, 61, 2}, 1, {Form::chunked, 20});
    shared.ngroups = 1;
    for (const double fraction : {0.75, 0.3, 1.0}) {
        shared.rope_fraction = fraction;
        check(shared, {1, 73, 1}, 1);
    }
    for (const Rotation rotation : {Rotation::standard, Rotation::none}) {
        shared.rotation = rotation;
        check(shared, {1, 73, 1}, 1);
    }
    for (const auto& [headdim, state] : {std::pair{32, 64}, {64, 128}}) {
        Mamba2Config config;
        config.headdim = headdim;
        config.d_state = state;
        Operation operation = mamba2(config, {1, 90, 2});
        align_rows(operation);
        check_backends(operation, 90, 3, 2);
    }
}

TEST_CASE("mamba2 agrees between backends over a grid of shapes", "[backend][mamba2][shapes]") {
    for (const Sizes& s : kSizes) {
        Mamba2Config config;
        config.headdim = s.headdim;
        config.d_state = s.state;
        config.ngroups = s.groups;
        check_backends(mamba2(config, {s.batch, s.length, s.heads}), s.length, 3, s.replicas);
    }
}

TEST_CASE("the gated delta rule agrees between backends over a grid of shapes", "[backend][gated_delta][shapes]") {
    // Keys of fewer than 8 channels over hundreds of positions are close to dependent: float loses digits there.
    for (const Sizes& s : kSizes) {
        GatedDeltaNetConfig config;
        config.num_heads = s.groups;
        config.num_v_heads = s.heads;
        config.head_dim = s.state;
        config.expand_v = static_cast<double>(s.headdim) / static_cast<double>(s.state);
        check_backends(gated_delta(config, {s.batch, s.length}), s.length, 3, s.replicas);
    }
}

// gpu/delta_rule/delta_strips.cuh lists them. Its warps have 16 positions and four of them share a block.
TEST_CASE("the gated delta rule agrees between backends at sizes that warps have", "[backend][gated_delta][shapes]") {
    struct Rule {
        std::int64_t keys;
        double expand;
    };
    for (const Rule& rule : {Rule{16, 2}, Rule{32, 2}, Rule{32, 0.5}, Rule{64, 0.5}})
        for (const bool negative : {false, true}) {
            GatedDeltaNetConfig config;
            config.num_heads = 2;
            config.head_dim = rule.keys;
            config.expand_v = rule.expand;
            config.allow_neg_eigval = negative;
            for (const std::int64_t length : {1, 16, 39, 100}) {
                Operation operation = gated_delta(config, {length < 50 ? 5 : 1, length});
                align_rows(operation);
                check_backends(operation, length, 3, negative ? 2 : 1);
            }
        }
}

TEST_CASE("attention agrees between backends over a grid of shapes", "[backend][attention][shapes]") {
    for (const Sizes& s : kSizes)
        for (const Positions positions : {Positions::rope, Positions::none})
            check_backends(attention({s.heads, s.headdim, positions}, {s.batch, s.length}), s.length, 3, s.replicas);
}

TEST_CASE("projections and norms agree between backends over a grid of shapes", "[backend][shapes]") {
    for (const std::int64_t in : {1, 31, 64, 130})
        for (const std::int64_t out : {1, 16, 65, 129, 428})
            for (const std::int64_t rows : {1, 127, 1000}) check_backends(linear(1, rows, in, out), rows, 3, 2);
    for (const std::int64_t features : {1, 33, 64})
        for (const std::int64_t tokens : {3, 16, 300})
            for (const std::int64_t rows : {1, 129, 700}) check_backends(embed(1, rows, tokens, features), rows, 3, 2);
    for (const std::int64_t features : {1, 33, 64, 200})
        for (const std::int64_t rows : {1, 129, 700})
            check_backends(rms_norm(1, rows, features, true, 1e-5), rows, 3, 2);
}
