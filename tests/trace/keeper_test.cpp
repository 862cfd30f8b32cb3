// The part of the state that keeps the answer is found by what its loss would change.
#include "core/trace/keeper.hpp"

#include "core/model/constructed/constructed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;
using trace::find_keepers;
using trace::Keepers;

namespace {

std::vector<std::int32_t> some_bits() {
    return {1, 2, 2, 1, 2, 1, 1, 2, 2, 2, 1, 2};  // seven ones: odd
}
std::vector<std::int32_t> with_flipped(std::vector<std::int32_t> tokens, std::size_t at) {
    tokens[at] = 3 - tokens[at];
    return tokens;
}

}  // namespace

TEST_CASE("one head's one pair keeps the parity of a constructed model", "[trace][keeper]") {
    for (const char* name : {"parity-mamba3", "parity-gdn"}) {
        INFO(name);
        const ConstructedModel& model = constructed_model(name);
        const Keepers keepers = find_keepers(model.config, model.slice, some_bits(), with_flipped(some_bits(), 3), 2);
        CHECK(keepers.margin > 0);
        CHECK(keepers.replaced < 0);
        REQUIRE(!keepers.pairs.empty());
        CHECK(keepers.pairs[0].part == trace::StatePart{0, 0, 0});
        CHECK(keepers.pairs[0].share == Approx(1).epsilon(1e-9));
        CHECK(keepers.heads[0].share == Approx(1).epsilon(1e-9));
        for (std::size_t i = 1; i < keepers.heads.size(); ++i) CHECK(std::abs(keepers.heads[i].share) < 1e-6);
    }
}

TEST_CASE("what keeps a wrong answer is found as well", "[trace][keeper]") {
    const ConstructedModel& model = constructed_model("parity-mamba3");
    const Keepers keepers = find_keepers(model.config, model.slice, some_bits(), with_flipped(some_bits(), 3), 1);
    CHECK(keepers.margin < 0);
    CHECK(keepers.replaced > 0);
    CHECK(keepers.heads[0].part.head == 0);
    CHECK(keepers.heads[0].share == Approx(1).epsilon(1e-9));
}

TEST_CASE("replacing everything gives the twin's answer", "[trace][keeper]") {
    for (const Subject& subject : preset_subjects()) {
        INFO(subject.name);
        // No convolution holds the difference: the layer of the twin's token is long past. In deeper layers it does.
        auto twin = subject.tokens;
        twin[0] = static_cast<std::int32_t>((twin[0] + 1) % subject.config.vocab_size);
        const Keepers keepers = find_keepers(subject.config, subject.slice, subject.tokens, twin, 1);
        const auto length = static_cast<std::int64_t>(twin.size());
        trace::Session own(subject.config, subject.slice, length), other = own.fork();
        CHECK(keepers.margin == Approx(trace::margin_of(own.feed(subject.tokens), 1)).margin(1e-12));
        const bool convolves = subject.name.find("mamba2") == 0 || subject.name.find("gdn") == 0 ||
                               subject.name.find("conv") != std::string::npos;
        if (!convolves) CHECK(keepers.replaced == Approx(trace::margin_of(other.feed(twin), 1)).margin(1e-10));
        CHECK(keepers.layers.size() == static_cast<std::size_t>(subject.config.n_layer));
        for (std::size_t i = 1; i < keepers.pairs.size(); ++i)
            CHECK(keepers.pairs[i - 1].share >= keepers.pairs[i].share);
    }
}

TEST_CASE("twins that cannot be compared are refused", "[trace][keeper]") {
    const ConstructedModel& model = constructed_model("parity-mamba3");
    const auto find = [&](std::vector<std::int32_t> twin) {
        return find_keepers(model.config, model.slice, some_bits(), twin, 2);
    };
    CHECK_THROWS_AS(find(some_bits()), std::invalid_argument);
    CHECK_THROWS_AS(find(with_flipped(some_bits(), 11)), std::invalid_argument);
    CHECK_THROWS_AS(find({1, 2}), std::invalid_argument);
}
