// The language model around its mixers: decoding, heads, ablated columns, replicas, bits.
#include <algorithm>
#include <cmath>

#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/operation.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kLength = 9;
const ModelShape kAllSlots{2, 3, kLength, 3 * kLength};  // every position of every sequence gives logits

/// Logits of all positions, decoded in parts from a carried state, in the order of a whole run.
std::vector<double> decode(const ModelConfig& config, Backend& backend, DType dtype, const ModelRun& whole,
                           const std::vector<std::int64_t>& parts) {
    const std::int64_t replicas = kAllSlots.replicas, batch = kAllSlots.batch, vocabulary = config.vocab_size;
    LanguageModel model(config, backend, dtype);
    State state = model.make_state(replicas, batch, kLength);
    std::vector<double> logits(static_cast<std::size_t>(replicas * batch * kLength * vocabulary));
    for (const std::int64_t part : parts) {
        const std::int64_t begin = state.position, slots = batch * part;
        model.bind({replicas, batch, part, slots, false, kLength});
        std::vector<std::int32_t> row_of;
        for (std::int64_t m = 0; m < slots; ++m) row_of.push_back(static_cast<std::int32_t>(m));
        for (std::int64_t r = 0; r < replicas; ++r) {
            Tensor to = model.supervision().row_of;
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r));
            backend.upload(to, row_of.data(), slots * 4);
            for (std::int64_t b = 0; b < batch; ++b) {
                Tensor row = model.tokens();
                row.data = reinterpret_cast<std::byte*>(row.at<std::int32_t>(r, b));
                Tensor from = whole.model.tokens();
                from.data = reinterpret_cast<std::byte*>(from.at<std::int32_t>(r, b) + begin);
                std::vector<std::int32_t> tokens(static_cast<std::size_t>(part));
                backend.download(tokens.data(), from, part * 4);
                backend.upload(row, tokens.data(), part * 4);
            }
        }
        model.forward(whole.parameters, &state);
        for (std::int64_t r = 0; r < replicas; ++r)
            for (std::int64_t m = 0; m < slots; ++m) {
                Tensor row = model.logits();
                const std::int64_t at = r * row.stride[0] + m * row.stride[2], t = begin + m % part;
                row.data += at * static_cast<std::int64_t>(size_of(dtype));
                std::vector<double> values(static_cast<std::size_t>(vocabulary));
                std::vector<float> single(values.size());
                if (dtype == DType::f64)
                    backend.download(values.data(), row, vocabulary * 8);
                else
                    backend.download(single.data(), row, vocabulary * 4);
                if (dtype == DType::f32) values.assign(single.begin(), single.end());
                std::copy(values.begin(), values.end(),
                          logits.begin() + ((r * batch + m / part) * kLength + t) * vocabulary);
            }
    }
    CHECK(state.position == kLength);
    return logits;
}

/// In parts of several lengths, on every backend, in double and in float.
void check_decoding(const ModelConfig& config) {
    for (Backend* backend : judged_backends())
        for (const DType dtype : {DType::f64, DType::f32}) {
            ModelRun whole(config, *backend, dtype, kAllSlots);
            // Slots in the order of rows, for comparison.
            std::vector<std::int32_t> row_of;
            for (std::int32_t m = 0; m < 3 * kLength; ++m) row_of.push_back(m);
            for (std::int64_t r = 0; r < kAllSlots.replicas; ++r) {
                Tensor to = whole.model.supervision().row_of;
                to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r));
                backend->upload(to, row_of.data(), 3 * kLength * 4);
            }
            whole.model.forward(whole.parameters);
            const std::vector<double> expected = whole.logits();
            const double limit = dtype == DType::f64 ? 1e-10 : 2e-5;  // the contract's limits on logits
            for (const auto& parts : {std::vector<std::int64_t>(kLength, 1), {5, 1, 1, 2}, {1, 8}, {9}}) {
                INFO(parts.size() << " parts");
                CHECK(relative_error(decode(config, *backend, dtype, whole, parts), expected) <= limit);
            }
        }
}

/// The parameters of a model without convolutions in a layout with them, which pass the position at hand alone.
std::vector<double> with_passing_taps(const ParameterLayout& from, const std::vector<double>& slice,
                                      const ParameterLayout& to) {
    std::vector<double> result(static_cast<std::size_t>(to.slice()), 0.0);
    for (const ParameterInfo& p : to.parameters()) {
        double* target = result.data() + p.offset;
        if (const int index = from.find(p.name); index >= 0)
            std::copy_n(slice.begin() + from.parameters()[static_cast<std::size_t>(index)].offset, p.count, target);
        else if (p.shape.size() == 3)  // taps; a bias stays 0
            for (std::int64_t last = p.shape.back() - 1; last < p.count; last += p.shape.back()) target[last] = 1;
    }
    return result;
}

/// Rows of in_proj [rows, D] whose gradient must vanish, and whether some row beside them has one.
void check_zero_rows(const Mamba3Config& mixer, std::int64_t begin, std::int64_t count) {
    for (Backend* backend : judged_backends()) {
        ModelRun run(one_layer(mixer), *backend, DType::f32, {1, 2, 7, 14});
        run.gradient();
        const auto gradient = run.parameter_part(run.gradients, "backbone.layers.0.mixer.in_proj.weight");
        const auto row_norm = [&](std::int64_t row) {
            return norm({gradient.begin() + row * 12, gradient.begin() + (row + 1) * 12});
        };
        const auto rows = static_cast<std::int64_t>(gradient.size()) / 12;
        for (std::int64_t row = 0; row < rows; ++row) {
            INFO("row " << row);
            CHECK((row_norm(row) == 0) == (row >= begin && row < begin + count));
        }
    }
}

}  // namespace

TEST_CASE("decoding with a carried state equals the whole sequence for every preset", "[model][decoding]") {
    for (const ModelPreset& preset : model_presets()) {
        INFO(preset.name);
        check_decoding(small_preset(preset.name));
    }
}

TEST_CASE("mamba2 without short convolution decodes, and keeps silu", "[model][decoding]") {
    Mamba2Config layer;
    layer.headdim = 6, layer.d_state = 5;
    ModelConfig convolved = one_layer(layer), bare = convolved;
    std::get<Mamba2Config>(bare.layers[0]).short_conv = 0;
    check_decoding(bare);
    for (Backend* backend : judged_backends()) {
        ModelRun without(bare, *backend, DType::f64, kAllSlots), with(convolved, *backend, DType::f64, kAllSlots);
        for (std::int64_t r = 0; r < kAllSlots.replicas; ++r)
            with.upload_parameters(r, with_passing_taps(without.model.layout(), without.slice_of(without.parameters, r),
                                                        with.model.layout()));
        without.gradient();
        with.gradient();
        CHECK(relative_error(without.logits(), with.logits()) <= 1e-13);
        for (const char* name : {"in_proj.weight", "dt_bias", "A_log"}) {
            const std::string full = std::string("backbone.layers.0.mixer.") + name;
            CHECK(relative_error(without.parameter_part(without.gradients, full),
                                 with.parameter_part(with.gradients, full)) <= 1e-12);
        }
    }
}

TEST_CASE("a hybrid has attention without positions in every sixth layer, and a norm before the gate", "[model]") {
    const auto places = [](std::int64_t layers) {
        const ModelConfig config = small_preset("hybrid", layers);
        CHECK(config.n_layer == static_cast<std::int64_t>(config.layers.size()));
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < config.layers.size(); ++i) {
            const auto* attention = std::get_if<AttentionConfig>(&config.layers[i]);
            if (attention == nullptr) {
                CHECK(std::get<Mamba3Config>(config.layers[i]).outproj_norm == OutprojNorm::pre_gate);
                continue;
            }
            CHECK(attention->positions == Positions::none);
            found.push_back(i);
        }
        return found;
    };
    CHECK(places(6) == std::vector<std::size_t>{3});
    CHECK(places(12) == std::vector<std::size_t>{3, 9});
    CHECK(places(4) == std::vector<std::size_t>{2});
    CHECK(places(2) == std::vector<std::size_t>{1});
    CHECK(places(1) == std::vector<std::size_t>{1});  // one layer cannot be mixed: it has two
}

TEST_CASE("gated delta net without short convolution decodes, and keeps silu", "[model][decoding]") {
    GatedDeltaNetConfig layer;
    layer.num_heads = 2;
    layer.head_dim = 3;
    ModelConfig convolved = one_layer(layer), bare = convolved;
    std::get<GatedDeltaNetConfig>(bare.layers[0]).short_conv = 0;
    check_decoding(bare);
    const std::string mixer = "backbone.layers.0.mixer.";
    for (Backend* backend : judged_backends()) {
        ModelRun without(bare, *backend, DType::f64, kAllSlots), with(convolved, *backend, DType::f64, kAllSlots);
        for (std::int64_t r = 0; r < kAllSlots.replicas; ++r)
            with.upload_parameters(r, with_passing_taps(without.model.layout(), without.slice_of(without.parameters, r),
                                                        with.model.layout()));
        without.gradient();
        with.gradient();
        CHECK(relative_error(without.logits(), with.logits()) <= 1e-13);
        for (const char* name : {"q_proj.weight", "k_proj.weight", "v_proj.weight"})
            CHECK(relative_error(without.parameter_part(without.gradients, mixer + name),
                                 with.parameter_part(with.gradients, mixer + name)) <= 1e-12);
    }
}

TEST_CASE("columns of in_proj that an ablation does not use get exactly zero gradient", "[model][ablation]") {
    // H = 4, P = 6, N = 6, S = 3: z 24, x 24, B 6, C 6, then ddt, dA, u of 4 each, then the angles.
    Mamba3Config config;
    config.headdim = 6;
    config.d_state = 6;
    constexpr std::int64_t ddt = 60, da = 64, u = 68, angles = 72;
    check_zero_rows(config, ddt, 0);
    config.rotation = Rotation::none;
    check_zero_rows(config, angles, 3);
    config.rotation = Rotation::standard;
    check_zero_rows(config, angles, 3);
    config.rotation = Rotation::data_dependent;
    for (const Discretization weight : {Discretization::euler, Discretization::trapezoidal_half}) {
        config.discretization = weight;
        check_zero_rows(config, u, 4);
    }
    config.discretization = Discretization::trapezoidal;
    config.a_source = ASource::per_head;
    check_zero_rows(config, da, 4);
}

TEST_CASE("a tied head adds its gradient to the embedding's, an untied one keeps its own", "[model]") {
    ModelConfig tied = small_preset("mamba3"), untied = tied;
    untied.tie_embeddings = false;
    for (Backend* backend : judged_backends()) {
        ModelRun one(tied, *backend, DType::f64, {1, 2, 7, 5}), two(untied, *backend, DType::f64, {1, 2, 7, 5});
        // The untied model with the tied one's weights, the head being a copy of the embedding.
        std::vector<double> slice = one.slice_of(one.parameters, 0),
                            wide(static_cast<std::size_t>(two.model.layout().slice()));
        for (const ParameterInfo& p : two.model.layout().parameters()) {
            const int from = one.model.layout().find(p.name);
            const auto& source = one.model.layout().parameters()[static_cast<std::size_t>(std::max(from, 0))];
            std::copy_n(slice.begin() + source.offset, p.count,
                        wide.begin() + p.offset);  // lm_head: from parameter 0, the embedding
        }
        two.upload_parameters(0, wide);
        one.gradient();
        two.gradient();
        CHECK(one.loss() == Approx(two.loss()).epsilon(1e-14));
        const auto both = one.parameter_part(one.gradients, "backbone.embedding.weight");
        auto sum = two.parameter_part(two.gradients, "backbone.embedding.weight");
        const auto head = two.parameter_part(two.gradients, "lm_head.weight");
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += head[i];
        CHECK(relative_error(both, sum) <= 1e-13);  // one addition in another order
        CHECK((norm(head) > 0 && relative_error(both, head) > 1e-3));
    }
}

TEST_CASE("replica r of a population has the bits it has alone, through three training steps", "[model][determinism]") {
    for (const ModelPreset& preset : model_presets())
        for (Backend* backend : judged_backends()) {
            const ModelConfig config = small_preset(preset.name);
            ModelRun together(config, *backend, DType::f32, {3, 5, 11, 9});
            for (int step = 0; step < 3; ++step) together.train_step();
            for (std::int64_t r = 0; r < 3; ++r) {
                ModelRun alone(config, *backend, DType::f32, {1, 5, 11, 9}, {}, 1 + static_cast<std::uint64_t>(r));
                for (int step = 0; step < 3; ++step) alone.train_step();
                INFO(preset.name << ", replica " << r);
                CHECK(alone.loss() == together.loss(r));
                CHECK((alone.slice_of(alone.first_moment, 0) == together.slice_of(together.first_moment, r)));
                CHECK((alone.slice_of(alone.parameters, 0) == together.slice_of(together.parameters, r)));
                CHECK(alone.gradient_norm(0) == together.gradient_norm(r));
            }
        }
}

TEST_CASE("a training step has the same bits on one, two and three threads", "[model][determinism]") {
    const auto trained = [](const std::string& preset, int threads) {
        const auto backend = make_cpu_backend(threads);
        // 37 · 17 rows: more than one block of every operation that cuts rows into blocks.
        ModelRun run(small_preset(preset), *backend, DType::f32, {2, 37, 17, 37});
        run.train_step();
        run.train_step();
        auto bits = run.slice_of(run.parameters, 0);
        const auto second = run.slice_of(run.first_moment, 1);
        bits.insert(bits.end(), second.begin(), second.end());
        return bits;
    };
    for (const ModelPreset& preset : model_presets()) {
        INFO(preset.name);
        const auto one = trained(preset.name, 1);
        CHECK(std::isfinite(norm(one)));
        CHECK((one == trained(preset.name, 2)));
        CHECK((one == trained(preset.name, 3)));
    }
}

TEST_CASE("a model bound to another shape and back gives the same bits", "[model][determinism]") {
    for (Backend* backend : judged_backends()) {
        ModelRun run(small_preset("hybrid"), *backend, DType::f32, {1, 3, 9, 5});
        run.gradient();
        const auto first = run.slice_of(run.gradients, 0);
        ModelRun again(small_preset("hybrid"), *backend, DType::f32, {1, 3, 9, 5});
        again.model.bind({1, 4, 30, 7});
        again.model.forward(again.parameters);
        again.model.bind({1, 3, 9, 5});
        for (std::int64_t b = 0; b < 3; ++b) {
            Tensor to = again.model.tokens();
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(0, b));
            Tensor from = run.model.tokens();
            from.data = reinterpret_cast<std::byte*>(from.at<std::int32_t>(0, b));
            std::vector<std::int32_t> tokens(9);
            backend->download(tokens.data(), from, 36);
            backend->upload(to, tokens.data(), 36);
        }
        for (auto part : {&Supervision::row_of, &Supervision::target}) {
            std::vector<std::int32_t> slots(5);
            backend->download(slots.data(), run.model.supervision().*part, 20);
            backend->upload(again.model.supervision().*part, slots.data(), 20);
        }
        again.gradient();
        CHECK((again.slice_of(again.gradients, 0) == first));
    }
}
