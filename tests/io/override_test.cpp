#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/sample_config.hpp"

using namespace sample;

namespace {

constexpr const char* kFile = R"(
seed = 1
[model]
layers = [{type = "rotating"}, {type = "rotating", d_state = 8}]
)";

Recipe with(const std::vector<std::string>& assignments) {
    whorl::Document document = whorl::parse_toml(kFile, "recipe.toml");
    for (const std::string& assignment : assignments) apply_override(document, assignment);
    return whorl::read_config<Recipe>(document);
}

std::string error(const std::string& assignment) {
    return message_of<whorl::UserError>([&] { with({assignment}); });
}

}  // namespace

TEST_CASE("overrides replace and add values", "[io][config]") {
    CHECK(with({"seed=2"}).seed == 2);
    CHECK(with({"seed=2", "seed=3"}).seed == 3);
    CHECK(with({"name=parity"}).name == "parity");
    CHECK(with({"name=\"12\""}).name == "12");
    CHECK(with({"name=a=b"}).name == "a=b");
    CHECK(with({"name=a b # c"}).name == "a b # c");
    CHECK(with({"resume=true"}).resume);
    CHECK(with({"learning_rate.peak=1e-4"}).learning_rate.peak == 1e-4);
    CHECK(with({"learning_rate.shape=linear"}).learning_rate.shape == Shape::linear);
    CHECK(with({"betas=[0.5]"}).betas == std::vector<double>{0.5});
    CHECK(with({"learning_rate={peak = 0.5, shape = \"constant\"}"}).learning_rate ==
          LearningRate{0.5, 0, Shape::constant});
}

TEST_CASE("overrides reach into arrays", "[io][config]") {
    CHECK(with({"model.layers[1].d_state=16"}).model.layers == std::vector<Layer>{Rotating{}, Rotating{16}});
    CHECK(with({"model.layers[*].fraction=0.5"}).model.layers ==
          std::vector<Layer>{Rotating{64, 0.5}, Rotating{8, 0.5}});
    CHECK(with({"model.layers[0]={type = 'averaging'}"}).model.layers == std::vector<Layer>{Averaging{}, Rotating{8}});
    CHECK(with({"grid=[[1,2],[3]]", "grid[0][1]=5"}).grid == std::vector<std::vector<std::int64_t>>{{1, 5}, {3}});
}

TEST_CASE("override errors name the option and the key", "[io][config]") {
    CHECK(error("model.layers[0].d_sate=1") == "--set model.layers[0].d_sate: unknown key; did you mean 'd_state'?");
    CHECK(error("model.layers[*].d_sate=1") == "--set model.layers[0].d_sate: unknown key; did you mean 'd_state'?");
    CHECK(error("model.layers=[{type = 'rotating', d_state = 0}]") ==
          "--set model.layers[0].d_state: 0 is out of range; expected a number in [1, 1024]");
    CHECK(error("learning_rat.peak=1") == "--set learning_rat: unknown key; did you mean 'learning_rate'?");
    CHECK(error("seed=many") == "--set seed: expected an integer, found a string");
    CHECK(error("seed=1.5") == "--set seed: expected an integer, found a number");
    CHECK(error("learning_rate.shape=cosin") ==
          "--set learning_rate.shape: unknown value 'cosin'; did you mean 'cosine'?");
    CHECK(error("seed") == "--set seed: expected key.path=value");
    CHECK(error("=1") == "--set =1: expected key.path=value");
    CHECK(error("seed=") == "--set seed: no value after '='");
    CHECK(error("seed=[1") == "--set seed: '[1' is not a TOML value");
    CHECK(error("betas=1e-3,1e-4") ==
          "--set betas: '1e-3,1e-4' is not a TOML value; a list stands in brackets: '[1e-3,1e-4]'");
    CHECK(error("betas=1,,2") == "--set betas: '1,,2' is not a TOML value");
    CHECK(error("seed=1 2") == "--set seed: '1 2' is not a TOML value");
    CHECK(error("seed=1\nname=2") == "--set seed: the value must be on one line");
    CHECK(error("name=a\xff") == "--set name: the value is not valid UTF-8");
    CHECK(error("model..d=1") == "--set model..d: expected key.path=value");
    CHECK(error("seed.x=1") == "--set seed.x: has the key 'x' where there is an integer");
    CHECK(error("seed[0]=1") == "--set seed[0]: has an index where there is an integer");
    CHECK(error("model.layers[2].d_state=1") ==
          "--set model.layers[2].d_state: index 2 is out of range; the array has 2 elements");
    CHECK(error("model.layers[-1]=1") == "--set model.layers[-1]: expected a number or * in brackets, found '-1'");
    CHECK(error("model.layers[0=1") == "--set model.layers[0: the bracket is not closed");
    CHECK(error("model.layers[0]x=1") == "--set model.layers[0]x: expected a dot after the bracket");
    CHECK(error("tags[0]=a") == "--set tags[0]: there is no array 'tags' to index");
    std::string deep = "a";
    for (int i = 0; i < 100; ++i) deep += ".a";
    CHECK_THAT(error(deep + "=1"), Catch::Matchers::ContainsSubstring("nested deeper than 32 levels"));
}
