#include "core/config/config_binding.hpp"

#include <cmath>
#include <cstring>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/sample_config.hpp"

using namespace sample;
using whorl::parse_json;
using whorl::parse_toml;
using whorl::read_config;
using whorl::UserError;

namespace {

Recipe from_toml(const std::string& text) {
    return read_config<Recipe>(parse_toml(text, "recipe.toml"));
}

std::string toml_error(const std::string& text) {
    return message_of<UserError>([&] { from_toml(text); });
}

std::string json_error(const std::string& text) {
    return message_of<UserError>([&] { read_config<Recipe>(parse_json(text, "model.json")); });
}

struct Sweep {
    whorl::Value axes;
};
template <class V>
void describe(V& v, Sweep& c) {
    v.field("axes", c.axes, whorl::required());
}

Recipe full_recipe() {
    Recipe r;
    r.name = "quote \" backslash \\ tab \t newline \n bell \a é 𝄞 end";
    r.seed = std::numeric_limits<std::int64_t>::min();
    r.workers = std::numeric_limits<std::int32_t>::max();
    r.resume = true;
    r.betas = {0.1, 1.0 / 3.0, 5e-324, 0.0};
    r.flags = {true, false, true};
    r.tags = {"", "a = 1", "[b]"};
    r.grid = {{}, {1, 2}, {-3}};
    r.shapes = {Shape::linear, Shape::constant};
    r.warmup = 0;
    r.learning_rate = {1e-4, 0x1.fffffffffffffp-20, Shape::linear};
    r.model.d_model = 1LL << 62;
    r.model.layers = {Rotating{16, 0.5}, Averaging{0.30000000000000004}, Rotating{}};
    return r;
}

}  // namespace

TEST_CASE("an empty file gives the defaults", "[io][config]") {
    CHECK(from_toml("") == Recipe{});
    CHECK(from_toml("# nothing but a comment\n\n") == Recipe{});
    CHECK(from_toml("\xEF\xBB\xBFseed = 1").seed == 1);  // a byte-order mark
}

TEST_CASE("TOML fills the fields it names", "[io][config]") {
    const Recipe r = from_toml(R"(
name = 'parity'
seed = 0x2A
warmup = 100
[learning_rate]
peak = 1          # an integer for a double
shape = "linear"
[[model.layers]]
type = "averaging"
decay = 0.5
[[model.layers]]
type = "rotating"
)");
    CHECK(r.name == "parity");
    CHECK(r.seed == 42);
    CHECK(r.warmup == 100);
    CHECK(r.learning_rate == LearningRate{1.0, 0.0, Shape::linear});
    CHECK(r.model.layers == std::vector<Layer>{Averaging{0.5}, Rotating{}});
}

TEST_CASE("every field survives TOML and JSON, bit for bit", "[io][config]") {
    for (const Recipe& recipe : {Recipe{}, full_recipe()}) {
        const std::string toml = whorl::to_toml(recipe);
        INFO(toml);
        CHECK(from_toml(toml) == recipe);
        CHECK(whorl::to_toml(from_toml(toml)) == toml);
        Recipe finite = recipe;
        finite.bound = 1e300;  // JSON has no infinity
        for (const int indent : {0, 2})
            CHECK(read_config<Recipe>(parse_json(whorl::to_json(finite, indent), "x")) == finite);
    }
}

TEST_CASE("doubles of every size survive", "[io][config]") {
    std::uint64_t bits = 0x123456789ABCDEFULL;
    for (int i = 0; i < 20000; ++i) {
        bits = bits * 6364136223846793005ULL + 1442695040888963407ULL;
        Recipe r;
        std::memcpy(&r.bound, &bits, sizeof bits);
        if (std::isnan(r.bound)) continue;
        REQUIRE(from_toml(whorl::to_toml(r)).bound == r.bound);
        if (std::isfinite(r.bound)) REQUIRE(read_config<Recipe>(parse_json(whorl::to_json(r), "x")).bound == r.bound);
    }
}

TEST_CASE("non-finite numbers are read only where allowed", "[io][config]") {
    CHECK(std::isnan(from_toml("bound = nan").bound));
    CHECK(from_toml("bound = -inf").bound == -std::numeric_limits<double>::infinity());
    CHECK(toml_error("learning_rate.end = inf") ==
          "recipe.toml:1: learning_rate.end: inf is not allowed; expected a finite number");
}

TEST_CASE("resolved TOML lists every key in declared order", "[io][config]") {
    Recipe r;
    r.warmup = 5;
    r.model.layers = {Rotating{}, Averaging{}};
    CHECK(whorl::to_toml(r) == R"(name = "unnamed"
seed = 0
workers = 1
resume = false
betas = [0.9, 0.95]
flags = []
tags = []
grid = []
shapes = []
warmup = 5
bound = inf

[learning_rate]
peak = 0.001
end = 0.0
shape = "cosine"

[model]
d_model = 64

[[model.layers]]
type = "rotating"
d_state = 64
fraction = 1.0

[[model.layers]]
type = "averaging"
decay = 0.9
)");
}

TEST_CASE("errors name file, line, key path and the nearest choice", "[io][config]") {
    CHECK(toml_error("[model]\n\n[[model.layers]]\ntype = \"rotating\"\n\nd_sate = 1\n") ==
          "recipe.toml:6: model.layers[0].d_sate: unknown key; did you mean 'd_state'?");
    CHECK(toml_error("model.layers = [{type = \"rotating\"},\n {type = \"rotatin\"}]") ==
          "recipe.toml:2: model.layers[1].type: unknown value 'rotatin'; did you mean 'rotating'?");
    CHECK(toml_error("workers = 0") == "recipe.toml:1: workers: 0 is out of range; expected a number at least 1");
    CHECK(toml_error("warmup = -1") == "recipe.toml:1: warmup: -1 is out of range; expected a number at least 0");
    CHECK(toml_error("seed = true") == "recipe.toml:1: seed: expected an integer, found true or false");
    CHECK(toml_error("bound = '1'") == "recipe.toml:1: bound: expected a number, found a string");
    CHECK(toml_error("z = 1\na = 2") ==
          "recipe.toml:1: z: unknown key; choose one of name, seed, workers, resume, betas, "
          "flags, tags, grid, shapes, warmup, bound, learning_rate and 1 more");
}

TEST_CASE("rules between fields point at their key", "[io][config]") {
    CHECK(toml_error("[learning_rate]\nend = 0.5\n") == "recipe.toml:2: learning_rate.end: must not exceed 'peak'");
    CHECK(toml_error("\n[learning_rate]\npeak = 0.5\nend = 0.6") ==
          "recipe.toml:4: learning_rate.end: must not exceed 'peak'");
}

TEST_CASE("derived keys may be present but must agree", "[io][config]") {
    const std::string layer = R"({"type": "rotating", "d_state": 8, "fraction": 0.5, "S": )";
    const auto text = [&](const char* angles) { return R"({"model": {"layers": [)" + layer + angles + "}]}}"; };
    CHECK(read_config<Recipe>(parse_json(text("2"), "x")).model.layers == std::vector<Layer>{Rotating{8, 0.5}});
    CHECK(json_error(text("4")) == "model.json: model.layers[0].S: contradicts the other keys");
}

TEST_CASE("JSON errors name the file and the key path", "[io][config]") {
    CHECK(json_error(R"({"sed": 1})") == "model.json: sed: unknown key; did you mean 'seed'?");
    CHECK(json_error(R"({"seed": 1.5})") == "model.json: seed: expected an integer, found a number");
    CHECK(json_error(R"({"seed": null})") == "model.json: seed: expected an integer, found null");
    CHECK(json_error(R"({"seed": 18446744073709551615})") == "model.json: seed: expected an integer, found a number");
    CHECK(json_error(R"({"seed": 1, "seed": 2})") == "model.json: duplicate key 'seed'");
    CHECK(json_error("[1]") == "model.json: expected a JSON object, found an array");
    CHECK(json_error("{") == "model.json: not valid JSON at byte 2");
    CHECK(json_error("") == "model.json: not valid JSON at byte 1");
    CHECK(json_error(R"({"a": 1e999})") == "model.json: not valid JSON at byte 11, near key 'a'");
    CHECK(json_error(R"({"a": 1, "b": [NaN]})") == "model.json: not valid JSON at byte 16, near key 'b'");
    CHECK(json_error(std::string(R"({"a":)") + std::string(100000, '[')) == "model.json: nested deeper than 32 levels");
    CHECK(json_error(std::string("{}\0{\"seed\":1}", 13)) == "model.json: not valid JSON at byte 2");
    CHECK(read_config<Recipe>(parse_json(R"({"warmup": null})", "x")).warmup == std::nullopt);
}

TEST_CASE("a document keeps line numbers and file order", "[io][config]") {
    const whorl::Document d = parse_toml("b = 1\na = [1,\n 2]\n[t]\nx = {y = 3}\n", "f");
    const auto& members = std::get<whorl::Table>(d.root.data);
    REQUIRE(members.size() == 3);
    CHECK(members[0].key == "b");
    CHECK(members[1].key == "a");
    CHECK(std::get<whorl::Array>(members[1].value.data)[1].line == 3);
    CHECK(find(*find(d.root, "t"), "x")->line == 5);
    CHECK(find(d.root, "nothing") == nullptr);
}

TEST_CASE("TOML nesting is bounded, strings and long arrays are not nesting", "[io][config]") {
    const std::string dots(100, '.');
    CHECK_NOTHROW(parse_toml("a = '" + dots + "' # " + dots + "\nb = \"\\\"" + dots + "\"\nc = \"\"\"" + dots +
                                 "\n\"\"" + dots + "\"\"\"\nd = '''\n'" + dots + "'''",
                             "f"));
    std::string numbers;
    for (int i = 0; i < 200; ++i) numbers += "0.5,[],";
    CHECK_NOTHROW(parse_toml("a = [" + numbers + "]", "f"));
    CHECK_NOTHROW(parse_toml("a = " + std::string(31, '[') + std::string(31, ']'), "f"));
    CHECK(message_of<UserError>([] { parse_toml("x = 1\na = " + std::string(33, '['), "f"); }) ==
          "f:2: nested deeper than 32 levels");
    CHECK(message_of<UserError>([] { parse_toml(std::string((1 << 20) + 1, '\n'), "f"); }) == "f: larger than 1 MB");
}

TEST_CASE("a Value field carries any subtree", "[io][config]") {
    const std::string text = "[axes]\n\"model.d_model\" = [8, 16]\nseed = [1]\n";
    const Sweep sweep = read_config<Sweep>(parse_toml(text, "sweep.toml"));
    CHECK(whorl::to_toml(sweep) == text);
    CHECK(whorl::to_json(sweep) == R"({"axes":{"model.d_model":[8,16],"seed":[1]}})");
    CHECK(message_of<UserError>([] { read_config<Sweep>(parse_toml("\n", "sweep.toml")); }) ==
          "sweep.toml:1: axes: required key is missing");
}

TEST_CASE("enum names", "[io][config]") {
    CHECK(whorl::name_of(Shape::linear) == std::string("linear"));
}
