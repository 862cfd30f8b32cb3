// A whole model whose layers hand each other bf16: close to the exact one, smaller, and of no use to decoding.
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/model_run.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// The contract of products in bf16 (e = ‖a-b‖/‖b‖); storing in bf16 as well stays within it.
constexpr double kLimit = 3e-2;
/// Of gradients through Gated DeltaNet with eigenvalues in [-1,1], where nothing is forgotten: the roundings of 70
/// positions add up, to 0.11 by storage alone and to 0.20 with products in bf16.
constexpr double kDeltaGradientLimit = 0.3;
constexpr Precision kStored{Matmul::bf16, Storage::bf16};
const ModelShape kShape{2, 3, 70, 3 * 70};  // two tiles, several chunks

/// `model` made on a GPU while it has this precision.
template <class Body>
void with_storage(const Body& body) {
    for (Backend* backend : judged_backends()) {
        if (backend->device() == Device::cpu) continue;
        backend->set_precision(kStored);
        body(*backend);
        backend->set_precision({});
    }
}

ModelConfig wide_preset(const char* preset, std::int64_t headdim = 16) {
    PresetSize size;
    size.d_model = 32;
    size.n_layer = 2;
    size.vocab_size = 7;
    size.d_state = 64;
    size.headdim = headdim;
    size.d_intermediate = 48;
    return model_preset(preset).make(size);
}

void check_close(Backend& backend, const ModelConfig& config, double gradient_limit, const ModelShape& shape = kShape) {
    ModelRun exact(config, *judged_backends().front(), DType::f64, shape);
    ModelRun stored(config, backend, DType::f32, shape);
    REQUIRE(stored.model.stored() == DType::bf16);
    exact.gradient();
    stored.gradient();
    CHECK(relative_error(stored.logits(), exact.logits()) <= kLimit);
    for (std::int64_t r = 0; r < shape.replicas; ++r) {
        INFO("replica " << r);
        CHECK(relative_error(stored.slice_of(stored.gradients, r), exact.slice_of(exact.gradients, r)) <=
              gradient_limit);
    }
}

}  // namespace

TEST_CASE("a model that stores bf16 has the exact one's logits and gradient within the contract", "[model][storage]") {
    with_storage([](Backend& backend) {
        for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn", "transformer"}) {
            INFO(preset);
            const double limit = std::string(preset) == "gdn" ? kDeltaGradientLimit : kLimit;
            check_close(backend, small_preset(preset), limit);
            check_close(backend, wide_preset(preset), limit);
        }
        for (const char* preset : {"mamba3", "mamba2"}) {  // a chunk with one before it and one behind
            INFO(preset << ", 64 channels a head");
            check_close(backend, wide_preset(preset, 64), kLimit, {1, 2, 150, 2 * 150});
        }
    });
}

TEST_CASE("storing bf16 takes much less memory, and carries no state", "[model][storage]") {
    with_storage([](Backend& backend) {
        for (const char* preset : {"mamba3", "mamba2", "gdn", "transformer"}) {
            INFO(preset);
            const ModelConfig config = wide_preset(preset);
            LanguageModel stored(config, backend, DType::f32);
            backend.set_precision({});
            const LanguageModel whole(config, backend, DType::f32);
            const auto bytes = [](const LanguageModel& model) {
                return static_cast<double>(model.arena_bytes({1, 64, 64, 64}));
            };
            CHECK(bytes(stored) < 0.75 * bytes(whole));
            stored.bind({1, 1, 1, 1, false, 4});
            State state = stored.make_state(1, 1, 4);
            CHECK_THROWS_WITH(stored.forward({}, &state), Catch::Matchers::ContainsSubstring("carries no state"));
            backend.set_precision(kStored);
        }
    });
}
