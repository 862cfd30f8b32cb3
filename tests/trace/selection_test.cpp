// A chosen part of a trace is that part of the whole; what is not there is refused by name.
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/model/registry.hpp"
#include "core/trace/trace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;
using Catch::Matchers::ContainsSubstring;

namespace {

Subject subject_of(const char* preset) {
    for (Subject& subject : preset_subjects())
        if (subject.name == preset) return std::move(subject);
    throw std::logic_error(preset);
}

Trace trace_of(const Subject& subject, const TraceSelection& selection = {}) {
    return record_trace(subject.config, subject.slice, subject.tokens, selection);
}

std::string refusal(const Subject& subject, const TraceSelection& selection) {
    return message_of<UserError>([&] { trace_of(subject, selection); });
}

const std::vector<std::int64_t>& labels_of(const TraceQuantity& quantity, const std::string& axis) {
    for (const TraceAxis& one : quantity.axes)
        if (one.name == axis) return one.labels;
    throw std::logic_error(axis);
}

std::int64_t numbers_in(const Trace& trace) {
    std::size_t count = trace.logits.values.size();
    for (const TraceLayer& layer : trace.layers)
        for (const TraceQuantity& quantity : layer.quantities) {
            std::int64_t extents = 1;
            for (const std::int64_t extent : quantity.shape()) extents *= extent;
            CHECK(static_cast<std::int64_t>(quantity.values.size()) == extents);
            count += quantity.values.size();
        }
    return static_cast<std::int64_t>(count);
}

}  // namespace

TEST_CASE("layers, heads and pairs that are chosen are parts of the whole trace", "[trace][selection]") {
    struct Case {
        const char* preset;
        std::vector<std::int64_t> channels;  // of pair 1 of six state channels
    };
    // mamba3-mimo turns (j, j + N/2) together.
    for (const Case& one : {Case{"mamba3", {2, 3}}, Case{"mamba3-mimo", {1, 4}}, Case{"mamba2", {2, 3}}}) {
        INFO(one.preset);
        const Subject subject = subject_of(one.preset);
        const Trace whole = trace_of(subject);
        TraceSelection selection;
        selection.layers = {1};
        selection.heads = {2, 1, 2};
        selection.pairs = {1};
        const Trace part = trace_of(subject, selection);
        REQUIRE(part.layers.size() == 1);
        CHECK(part.layers[0].layer == 1);
        CHECK(part.logits.values == whole.logits.values);
        const TraceQuantity& kept = *part.layers[0].find("state");
        CHECK(labels_of(kept, "head") == std::vector<std::int64_t>{1, 2});
        CHECK(labels_of(kept, "state") == one.channels);
        const Reading all(whole.layers[1], "state"), some(part.layers[0], "state");
        for (std::int64_t t = 0; t < some.extent(0); ++t)
            for (std::int64_t h = 0; h < 2; ++h)
                for (std::int64_t i = 0; i < 2; ++i)
                    for (std::int64_t p = 0; p < some.extent(3); ++p)
                        CHECK(some(t, h, i, p) == all(t, h + 1, one.channels[static_cast<std::size_t>(i)], p));
    }
}

TEST_CASE("a trace holds as many numbers as it says beforehand", "[trace][selection]") {
    for (const Subject& subject : preset_subjects())
        for (const bool state : {true, false}) {
            TraceSelection selection;
            selection.state = state;
            INFO(subject.name);
            const Trace trace = trace_of(subject, selection);
            CHECK(numbers_in(trace) ==
                  count_trace(subject.config, static_cast<std::int64_t>(subject.tokens.size()), selection));
            for (const TraceLayer& layer : trace.layers)
                CHECK((layer.find("state") != nullptr) == (state && layer.type != "attention"));
        }
}

TEST_CASE("a last channel without a partner is a pair of its own", "[trace][selection]") {
    Subject subject = subject_of("mamba3");
    auto& layer = std::get<Mamba3Config>(subject.config.layers[0]);
    layer.d_state = 5;
    subject.config.layers = {layer};
    subject.config.n_layer = 1;
    const auto backend = make_cpu_backend(1);
    const ModelRun run(subject.config, *backend, DType::f64, {1, 1, 1, 1});
    subject.slice = run.slice_of(run.parameters, 0);
    TraceSelection selection;
    selection.pairs = {2, 0};
    const Trace trace = trace_of(subject, selection);
    CHECK(labels_of(*trace.layers[0].find("state"), "state") == std::vector<std::int64_t>{0, 1, 4});
    selection.pairs = {3};
    CHECK_THAT(refusal(subject, selection), ContainsSubstring("--state 3") && ContainsSubstring("0..2"));
}

TEST_CASE("a layer, head or pair that the model lacks is refused with what there is", "[trace][selection]") {
    const Subject mamba = subject_of("mamba3"), mixed = subject_of("hybrid"), delta = subject_of("gdn");
    CHECK_THAT(refusal(mamba, {{2}, {}, true, {}}), ContainsSubstring("--layer 2") && ContainsSubstring("0..1"));
    CHECK_THAT(refusal(mamba, {{}, {4}, true, {}}), ContainsSubstring("--head 4: layer 0 (mamba3) has heads 0..3"));
    CHECK_THAT(refusal(mamba, {{}, {}, true, {3}}),
               ContainsSubstring("--state 3: layer 0 (mamba3) has pairs of state channels 0..2"));
    CHECK_THAT(refusal(delta, {{}, {}, true, {5}}), ContainsSubstring("gated_delta_net") && ContainsSubstring("0..4"));
    CHECK_THAT(refusal(mixed, {{1}, {3}, true, {}}), ContainsSubstring("--head 3: layer 1 (attention) has heads 0..1"));
    CHECK_THAT(refusal(mixed, {{}, {4}, true, {}}), ContainsSubstring("--head 4: layer 0 (mamba3) has heads 0..3"));
}

TEST_CASE("of the heads that are chosen a layer keeps those that it has", "[trace][selection]") {
    // Head 3 is there in the Mamba-3 layer but not in that of attention, which has 0 and 1.
    const Subject mixed = subject_of("hybrid");
    CHECK(trace_of(mixed, {{}, {3}, true, {}}).layers.size() == 1);
    const TraceSelection two{{}, {1, 3}, true, {}};
    const Trace trace = trace_of(mixed, two);
    REQUIRE(trace.layers.size() == 2);
    CHECK(labels_of(*trace.layers[0].find("state"), "head") == std::vector<std::int64_t>{1, 3});
    for (const TraceQuantity& quantity : trace.layers[1].quantities)
        CHECK(labels_of(quantity, "head") == std::vector<std::int64_t>{1});
    CHECK(numbers_in(trace) == count_trace(mixed.config, static_cast<std::int64_t>(mixed.tokens.size()), two));
}
