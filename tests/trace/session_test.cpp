// A reading that is forked: copies go on by themselves, parts move between them, and nothing is lost on the way.
#include "core/trace/session.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/model/constructed/constructed.hpp"
#include "core/trace/carried.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;
using trace::Session;
using trace::StatePart;

namespace {

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

std::vector<Subject> all_subjects() {
    std::vector<Subject> subjects = preset_subjects();
    for (Subject& golden : golden_subjects()) subjects.push_back(std::move(golden));
    return subjects;
}

/// The tokens with the one at `position` changed.
std::vector<std::int32_t> changed(std::vector<std::int32_t> tokens, std::size_t position, std::int64_t vocabulary) {
    tokens[position] = static_cast<std::int32_t>((tokens[position] + 1) % vocabulary);
    return tokens;
}

}  // namespace

TEST_CASE("a fork goes on by itself, and leaves the reading it came from alone", "[trace][session]") {
    for (const Subject& subject : all_subjects()) {
        INFO(subject.name);
        const auto length = static_cast<std::int64_t>(subject.tokens.size());
        const std::vector<double> whole = WholeRun(subject.config, subject.slice, subject.tokens).logits();
        Session reading(subject.config, subject.slice, length);
        for (std::int64_t t = 0; t < length; ++t) {
            if (t > 0) {  // something else in between
                Session asked = reading.fork();
                asked.feed(static_cast<std::int32_t>(t % subject.config.vocab_size));
            }
            const std::vector<double>& logits = reading.feed(subject.tokens[static_cast<std::size_t>(t)]);
            const auto first = whole.begin() + t * subject.config.vocab_size;
            CHECK(largest_difference(logits, {first, first + subject.config.vocab_size}) < 1e-10);
        }
    }
}

TEST_CASE("a fork goes on with the trace of what it followed", "[trace][session]") {
    for (const Subject& subject : preset_subjects()) {
        INFO(subject.name);
        const std::size_t half = subject.tokens.size() / 2;
        Session reading(subject.config, subject.slice, static_cast<std::int64_t>(subject.tokens.size()));
        reading.follow({});
        reading.feed({subject.tokens.begin(), subject.tokens.begin() + static_cast<std::ptrdiff_t>(half)});
        Session fork = reading.fork();
        reading.feed(0);
        fork.feed({subject.tokens.begin() + static_cast<std::ptrdiff_t>(half), subject.tokens.end()});
        const Trace expected = record_trace(subject.config, subject.slice, subject.tokens), found = fork.take_trace();
        CHECK(found.tokens == expected.tokens);
        CHECK(found.logits.values == expected.logits.values);
        REQUIRE(found.layers.size() == expected.layers.size());
        for (std::size_t i = 0; i < found.layers.size(); ++i)
            for (const TraceQuantity& quantity : expected.layers[i].quantities) {
                INFO(quantity.name);
                CHECK(found.layers[i].find(quantity.name)->values == quantity.values);
            }
    }
}

TEST_CASE("a reading whose parts are all replaced is its twin, whichever way it is cut", "[trace][session]") {
    for (const Subject& subject : all_subjects()) {
        INFO(subject.name);
        const auto length = static_cast<std::int64_t>(subject.tokens.size());
        if (length < 2) continue;
        const auto other = changed(subject.tokens, subject.tokens.size() - 2, subject.config.vocab_size);
        const std::vector<std::int32_t> begin(subject.tokens.begin(), subject.tokens.end() - 1),
            twin_begin(other.begin(), other.end() - 1);
        Session own(subject.config, subject.slice, length), twin = own.fork(), again = own.fork();
        own.feed(begin);
        twin.feed(twin_begin);
        CHECK(own.distance(own) == 0);
        CHECK(own.distance(twin) > 0);
        again.become(own);
        for (std::int64_t layer = 0; layer < subject.config.n_layer; ++layer) {
            const auto& mixer = subject.config.layers[static_cast<std::size_t>(layer)];
            const trace::Parts parts = trace::parts_of(mixer, subject.config.d_model, own.position());
            for (std::int64_t head = 0; head < parts.heads; ++head)
                for (std::int64_t pair = 0; pair < parts.pairs; ++pair) again.replace({layer, head, pair}, twin);
            own.replace({layer, -1, -1}, twin);
        }
        CHECK(own.distance(twin) == 0);
        CHECK(again.distance(twin) == 0);
        CHECK(own.distance(again) == 0);
    }
}

TEST_CASE("what a replaced head brings is what the twin would have answered", "[trace][session]") {
    // One layer without a convolution: all that it carries is in its heads.
    for (const Subject& subject : preset_subjects()) {
        if (subject.name != "mamba3" && subject.name != "mamba3-mimo") continue;
        const auto length = static_cast<std::int64_t>(subject.tokens.size());
        const auto other = changed(subject.tokens, 2, subject.config.vocab_size);
        Session own(subject.config, subject.slice, length), twin = own.fork();
        own.feed({subject.tokens.begin(), subject.tokens.end() - 1});
        twin.feed({other.begin(), other.end() - 1});
        for (std::int64_t layer = 0; layer < subject.config.n_layer; ++layer) own.replace({layer, -1, -1}, twin);
        CHECK(largest_difference(own.feed(subject.tokens.back()), twin.feed(subject.tokens.back())) == 0);
    }
}

TEST_CASE("a reading refuses tokens that its model does not have", "[trace]") {
    const ConstructedModel model = constructed_model("parity-mamba3");
    trace::Session reading(model.config, model.slice, 4);
    CHECK_THROWS_AS(reading.feed(static_cast<std::int32_t>(model.config.vocab_size)), std::out_of_range);
    CHECK_THROWS_AS(reading.feed(-1), std::out_of_range);
    CHECK(reading.position() == 0);
}
