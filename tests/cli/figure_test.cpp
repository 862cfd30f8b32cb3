// `whorl figure` as a user types it.
#include <algorithm>

#include "core/config/value.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;

namespace {

std::string with_folder(std::string arguments, const TemporaryFolder& folder) {
    for (auto at = arguments.find("FOLDER"); at != std::string::npos; at = arguments.find("FOLDER"))
        arguments.replace(at, 6, folder.path());
    return arguments;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string first_word(const std::string& line) {
    return line.substr(0, line.find(' '));
}

}  // namespace

TEST_CASE("every figure is listed, and can be made from what ships with the program", "[cli][figure]") {
    const TemporaryFolder folder;
    const std::string sources[][2] = {
        {"dials", ""},
        {"path", ""},
        {"error", ""},
        {"map", ""},
        {"taps", "parity-mamba3-smoothed"},
        {"own-input", "parity-mamba3-smoothed"},
        {"ledger", "parity-mamba3-plain"},
        {"ask-now", "needle-gdn needle-mamba3 --size 48"},
        {"sandbox", ""},
        {"training", "FOLDER/run"},
        {"needle-map", "needle-gdn --lengths 16,32 --count 8"},
        {"table", "FOLDER/run"},
        {"overview", "FOLDER/run"},
        {"scaling", source_file("experiments/results/bench/h100-train-scale-length.json")},
    };
    REQUIRE(run_whorl("train parity-quick --threads 1 --set steps=4 --set batch=4 --set replicas.seeds=2 --set "
                      "replicas.learning_rates=[0.001] --set model.d_model=16 --set model.headdim=8 --set "
                      "model.d_state=8 --set curriculum.start=6 --set curriculum.end=12 --set validation.sizes=[9] "
                      "--set test.sizes=[9] --set test.count=8 --set validation.count=8 --out " +
                      (folder / "run"))
                .status == 0);
    const Outcome list = run_whorl("figure --list");
    REQUIRE(list.status == 0);
    const std::vector<std::string> lines = lines_of(list.out);
    REQUIRE(lines.size() == std::size(sources));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(first_word(lines[i]) == sources[i][0]);
        const std::string out = folder / (sources[i][0] + ".svg");
        const Outcome made = run_whorl("figure " + sources[i][0] + " " + with_folder(sources[i][1], folder) +
                                       " --describe --out " + out);
        INFO(lines[i] << "\n" << made.err);
        CHECK(made.status == 0);
        CHECK_THAT(slurp(out), ContainsSubstring("</svg>"));
        CHECK(made.out.size() > 100);
    }
}

TEST_CASE("a figure is written in every format at once, the same each time", "[cli][figure]") {
    const TemporaryFolder folder;
    const auto draw = [&](const std::string& name) {
        std::string outs;
        for (const char* ending : {".svg", ".png", ".csv", ".json", ".txt"})
            outs += " --out " + (folder / (name + ending));
        const Outcome made = run_whorl("figure dials --theme dark --width 700" + outs);
        INFO(made.err);
        REQUIRE(made.status == 0);
    };
    draw("a");
    draw("b");
    for (const char* ending : {".svg", ".png", ".csv", ".json", ".txt"}) {
        INFO(ending);
        const std::string a = slurp(folder / (std::string("a") + ending)),
                          b = slurp(folder / (std::string("b") + ending));
        CHECK(a.size() > 200);
        CHECK(a == b);
    }
    CHECK(slurp(folder / "a.png").compare(1, 3, "PNG") == 0);
    const whorl::Document json = whorl::parse_json(slurp(folder / "a.json"), "a.json");
    CHECK(std::get<std::string>(whorl::find(json.root, "claim")->data) ==
          "Mamba-3 turns, Mamba-2 slides, Gated DeltaNet flips");
}

TEST_CASE("models of one kind are named apart in a figure", "[cli][figure]") {
    const Outcome two = run_whorl("figure dials parity-mamba3 modular-sum-mamba3 --tokens \"1 2 2\" --describe");
    INFO(two.err);
    REQUIRE(two.status == 0);
    CHECK_THAT(two.out, ContainsSubstring("parity-mamba3 turns, modular-sum-mamba3 turns"));
}

TEST_CASE("bad requests for a figure get one line and status 2, and leave nothing behind", "[cli][figure]") {
    struct Case {
        const char *arguments, *expected;
    };
    const Case cases[] = {
        {"", "--list"},
        {"dails --out FOLDER/x.svg", "did you mean 'dials'?"},
        {"dials --out FOLDER/x.gif", ".svg"},
        {"dials --out FOLDER/x.svg --out FOLDER/none/x.svg", "there is no folder"},
        {"dials --theme drak --out FOLDER/x.svg", "did you mean 'dark'?"},
        {"dials --scale 9 --out FOLDER/x.png", "--scale 9: expected 1..4"},
        {"dials --width 10 --out FOLDER/x.png", "--width 10: expected 200..4000"},
        {"dials --rule bilinear --out FOLDER/x.svg", "--rule belongs to map"},
        {"dials parity-mamba --text 0 --out FOLDER/x.svg", "did you mean 'parity-mamba3'?"},
        {"dials parity-mamba3 --text 012 --out FOLDER/x.svg", "'2' (character 3)"},
        {"dials parity-mamba3 --tokens \"1 9\" --out FOLDER/x.svg", "token 9 is not in 0..2"},
        {"dials parity-mamba3 --text 01 --size 9 --out FOLDER/x.svg", "--size chooses an example"},
        {"dials parity-mamba3 --size 1000000 --out FOLDER/x.svg", "at most 65536"},
        {"dials parity-mamba3 --text 01 --layer 3 --out FOLDER/x.svg", "--layer 3: the model has layers 0..0"},
        {"dials --replica 1 --out FOLDER/x.svg", "--replica is about a MODEL"},
        {"dials --size 3 --seed 1 --text 01 --out FOLDER/x.svg", "--size chooses an example"},
        {"ledger parity-mamba3 modular-sum-mamba3 --out FOLDER/x.svg",
         "parity-mamba3 answers parity and modular-sum-mamba3 modular_sum"},
        {"ask-now needle-gdn parity-mamba3 --size 16 --out FOLDER/x.svg", "Mamba-3: has the tokens 0..2"},
        {"ledger parity-mamba3 --task needle --tokens 1 --out FOLDER/x.svg", "needle is no sum of its tokens"},
        {"ask-now parity-mamba3 --task modular_sum --text 011 --out FOLDER/x.svg", "this text needs token 3"},
        {"map --cells 4294967298 --out FOLDER/x.svg", "--cells 4294967298: expected 2..1000"},
        {"needle-map needle-gdn --count 0 --out FOLDER/x.svg", "--count 0: expected 1..16777216"},
        {"map --rule bilinera --out FOLDER/x.svg", "bilinear"},
        {"error --lambda 2 --out FOLDER/x.svg", "lambda is 2; take a weight from 0 to 1"},
        {"ledger parity-gdn --out FOLDER/x.svg", "it can have dials, ask-now and training"},
        {"ledger needle-mamba3 --out FOLDER/x.svg", "needle is no sum of its tokens"},
        {"ledger --out FOLDER/x.svg", "a MODEL is missing"},
        {"taps parity-gdn --text 01 --out FOLDER/x.svg", "only Mamba-3 has a λ"},
        {"needle-map parity-mamba3 --out FOLDER/x.svg", "parity"},
        {"own-input parity-mamba3-plain --between hold --out FOLDER/x.svg", "held"},
    };
    const TemporaryFolder folder;
    for (const Case& one : cases) {
        const std::string arguments = with_folder(std::string("figure ") + one.arguments, folder);
        const Outcome outcome = run_whorl(arguments);
        INFO(arguments << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(one.expected));
    }
    CHECK(folder.entries() == 0);
}
