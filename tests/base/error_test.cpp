#include "core/base/error.hpp"

#include "tests/support/catch.hpp"

using whorl::nearest;
using whorl::suggestion;

TEST_CASE("nearest finds what was probably meant", "[base]") {
    const std::vector<std::string> keys = {"d_state", "d_model", "headdim", "rope_fraction", "H"};
    CHECK(nearest("d_sate", keys) == "d_state");
    CHECK(nearest("d_staet", keys) == "d_state");  // two letters swapped
    CHECK(nearest("D_STATE", keys) == "d_state");
    CHECK(nearest("head_dim", keys) == "headdim");
    CHECK(nearest("ropefraction", keys) == "rope_fraction");
    CHECK(nearest("learning_rate", keys).empty());
    CHECK(nearest("S", keys).empty());  // one letter is never close to another
    CHECK(nearest("", keys).empty());
    CHECK(nearest("d_state", {}).empty());
}

TEST_CASE("nearest prefers the smallest distance, then the first", "[base]") {
    CHECK(nearest("alpha1", {"alpha", "alpha1", "alpha2"}) == "alpha1");
    CHECK(nearest("alpha3", {"alpha1", "alpha2"}) == "alpha1");
}

TEST_CASE("nearest does not spend its time on huge words", "[base]") {
    CHECK(nearest(std::string(1 << 20, 'a'), {std::string(1 << 20, 'a')}).empty());
}

TEST_CASE("suggestion offers the nearest, else the choices", "[base]") {
    CHECK(suggestion("cosin", {"linear", "cosine"}) == "; did you mean 'cosine'?");
    CHECK(suggestion("zzz", {"linear", "cosine"}) == "; choose one of linear, cosine");
    CHECK(suggestion("zzz", {}).empty());
    const std::vector<std::string> many(20, "option");
    CHECK_THAT(suggestion("zzz", many), Catch::Matchers::ContainsSubstring("and 8 more"));
}
