// Long sequences read piece after piece: the same answers as whole, in memory that does not grow with the length.
#include "core/model/piece_reader.hpp"

#include <algorithm>

#include "core/backend/factories.hpp"
#include "core/model/decoder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/operation.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kLength = 301, kBatch = 2, kReplicas = 2;

/// Rows asked for: a few of the first sequence, fewer of the second, not at the same places.
const std::vector<std::int32_t> kRows = {0, 16, 17, 230, 300, kLength + 5, kLength + 16, kLength + 299, -1, -1};

/// Logits [replica, slot, V] of the rows asked for; those of unused slots are zero.
std::vector<double> read(LanguageModel& model, Backend& backend, const Tensor& parameters,
                         const std::vector<std::int32_t>& tokens, std::int64_t piece) {
    const auto slots = static_cast<std::int64_t>(kRows.size()), vocabulary = model.config().vocab_size;
    PieceReader reader(model, backend, parameters, {kReplicas, kBatch, kLength, slots, piece});
    std::vector<double> all(static_cast<std::size_t>(kReplicas * slots * vocabulary));
    for (int time = 0; time < 2; ++time) {  // a reader that begins anew has forgotten what it read
        reader.start({tokens.data(), kLength, kRows.data()});
        while (reader.next()) {
            const Tensor& logits = model.logits();
            for (std::int64_t r = 0; r < kReplicas; ++r) {
                Tensor one = logits;
                one.data += r * logits.stride[0] * static_cast<std::int64_t>(size_of(model.dtype()));
                const std::int64_t rows = logits.shape[2], stride = logits.row_stride();
                std::vector<double> twice(static_cast<std::size_t>(rows * stride));
                std::vector<float> single(twice.size());
                if (model.dtype() == DType::f64)
                    backend.download(twice.data(), one, rows * stride * 8);
                else
                    backend.download(single.data(), one, rows * stride * 4);
                if (model.dtype() == DType::f32) twice.assign(single.begin(), single.end());
                for (std::int64_t m = 0; m < rows; ++m)
                    if (const std::int64_t slot = reader.slots()[static_cast<std::size_t>(m)]; slot >= 0)
                        std::copy_n(twice.begin() + m * stride, vocabulary,
                                    all.begin() + (r * slots + slot) * vocabulary);
            }
        }
        CHECK(reader.position() == kLength);
    }
    return all;
}

}  // namespace

TEST_CASE("pieces give what the whole sequence gives for every preset", "[model][pieces]") {
    for (const ModelPreset& preset : model_presets())
        for (Backend* backend : judged_backends())
            for (const DType dtype : {DType::f64, DType::f32}) {
                const ModelConfig config = small_preset(preset.name);
                ModelRun run(config, *backend, dtype, {kReplicas, 1, 1, 1});
                const auto tokens = random_tokens(9, kBatch * kLength, config.vocab_size);
                const std::vector<double> whole = read(run.model, *backend, run.parameters, tokens, kLength);
                CHECK(norm(whole) > 0);
                const double limit = dtype == DType::f64 ? 1e-10 : 2e-5 * kLength / 256;  // the contract's on logits
                for (const std::int64_t piece : {17, 64, 150, 300}) {
                    INFO(preset.name << " on " << backend->describe() << ", pieces of " << piece);
                    CHECK(relative_error(read(run.model, *backend, run.parameters, tokens, piece), whole) <= limit);
                }
            }
}

TEST_CASE("a prompt leaves the state that its tokens leave one by one", "[model][pieces][decoding]") {
    const auto backend = make_cpu_backend(2);
    for (const ModelPreset& preset : model_presets()) {
        INFO(preset.name);
        const ModelConfig config = small_preset(preset.name);
        ModelRun run(config, *backend, DType::f64, {1, 1, 1, 1});
        const auto tokens = random_tokens(9, kLength + 1, config.vocab_size);
        const std::int32_t last = kLength - 121;
        State prompted = run.model.make_state(1, 1, kLength + 1);
        // Two prompts, the second of which goes on from the first.
        const std::int32_t nothing = -1;
        PieceReader first(run.model, *backend, run.parameters, {1, 1, 120, 1, 64}, &prompted);
        first.start({tokens.data(), 120, &nothing});
        while (first.next()) CHECK_FALSE(first.asked());
        PieceReader second(run.model, *backend, run.parameters, {1, 1, kLength - 120, 1, 64}, &prompted);
        second.start({tokens.data() + 120, kLength - 120, &last});
        while (second.next()) CHECK(second.asked() == (second.position() == kLength - 120));
        const std::vector<double> behind_prompt = download_logits(*backend, run.model, 1);
        Decoder decoder(run.model, *backend, run.parameters, kLength + 1);
        State fed = decoder.start();
        for (std::int64_t t = 0; t < kLength; ++t) decoder.feed(fed, tokens[static_cast<std::size_t>(t)]);
        CHECK(relative_error(behind_prompt, decoder.logits()) <= 1e-10);
        const std::vector<double> expected = decoder.feed(fed, tokens.back());
        CHECK(relative_error(decoder.feed(prompted, tokens.back()), expected) <= 1e-10);
        CHECK(prompted.position == fed.position);
    }
}

TEST_CASE("what stands behind the last row asked for is not read", "[model][pieces]") {
    const auto backend = make_cpu_backend(1);
    ModelRun run(small_preset("mamba3"), *backend, DType::f32, {1, 1, 1, 1});
    const auto tokens = random_tokens(9, kLength, run.model.config().vocab_size);
    PieceReader reader(run.model, *backend, run.parameters, {1, 1, kLength, 2, 50});
    const std::int32_t rows[] = {3, 99}, none[] = {-1, -1};
    reader.start({tokens.data(), kLength, rows});
    int pieces = 0;
    while (reader.next()) ++pieces;
    CHECK(pieces == 2);
    reader.start({tokens.data(), kLength, none});
    CHECK_FALSE(reader.next());
}

TEST_CASE("memory does not grow with the length nor with the layers of a model that only reads", "[model][pieces]") {
    const auto bytes = [](const char* preset, std::int64_t length, std::int64_t layers, Backend& backend) {
        const LanguageModel model(small_preset(preset, layers), backend, DType::f32);
        return std::pair(reading_bytes(model, {1, 1, length, 1, 256}), model.state_bytes(1, 1, length));
    };
    for (Backend* backend : judged_backends()) {
        for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn"}) {
            INFO(preset << " on " << backend->describe());
            const auto [all, state] = bytes(preset, 1 << 12, 2, *backend);
            CHECK(bytes(preset, 1 << 24, 2, *backend).first == all);
            const auto [deep, deep_state] = bytes(preset, 1 << 12, 12, *backend);
            CHECK(deep - deep_state == all - state);
        }
        // Attention keeps its cache, and scores of one block of queries.
        const auto [shorter, cache] = bytes("transformer", 1 << 16, 2, *backend);
        const auto [longer, longer_cache] = bytes("transformer", 1 << 17, 2, *backend);
        CHECK(longer_cache == 2 * cache);
        CHECK(longer - longer_cache < 4 * (shorter - cache));
    }
}
