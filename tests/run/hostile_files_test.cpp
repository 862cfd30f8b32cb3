// Whatever stands in a run's files: they are read as a run's or refused in one line with their place.
#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/philox.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/sample_run.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr int kAttempts = 1500;

// One change of those that damage, careless hands and malice make.
std::string mutated(std::string text, Random& random) {
    static const std::vector<std::string> pieces = {"null", "[]", "{}", "-1",  "1e999", "\"x\"", "\n", "[[]]", "0.5",
                                                    "true", ",",  "\"", "[1]", "9e18",  "}",     "]",  "[",    ""};
    const auto at = [&] { return static_cast<std::size_t>(random.below(static_cast<std::uint32_t>(text.size()))); };
    const std::size_t begin = at();
    switch (random.below(4)) {
        case 0:
            text[begin] = static_cast<char>(random.below(256));
            break;
        case 1:
            text.erase(begin, 1 + at() % 40);
            break;
        case 2:
            text.insert(begin, text.substr(at(), 1 + at() % 40));
            break;
        default: {  // a value, from one mark to the next, becomes another one
            const std::size_t end = std::min(text.find_first_of(",]}:\n", begin), text.size());
            text.replace(begin, end - begin, pieces[random.below(static_cast<std::uint32_t>(pieces.size()))]);
        }
    }
    return text;
}

/// Reads `path` with kAttempts contents; every refusal begins with `place`. Both outcomes must occur.
template <class Read>
void check_mutations(const std::string& path, const std::string& place, const Read& read) {
    const std::string whole = slurp(path);
    CHECK_NOTHROW(read());
    int accepted = 0, refused = 0;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        Random random(7, Purpose::sampling, 0, static_cast<std::uint64_t>(attempt));
        std::string text = mutated(whole, random);
        if (attempt % 3 == 0 && !text.empty()) text = mutated(text, random);
        spill(path, text);
        INFO("attempt " << attempt << ": " << text);
        try {
            read();
            ++accepted;
        } catch (const UserError& error) {
            const std::string message = error.what();
            INFO(message);
            REQUIRE(message.rfind(place, 0) == 0);
            REQUIRE(message.find('\n') == std::string::npos);
            ++refused;
        }
    }
    spill(path, whole);
    CHECK(accepted > kAttempts / 50);
    CHECK(refused > kAttempts / 5);
}

}  // namespace

TEST_CASE("changed metrics are read as a run's or refused with file and line", "[run][attacks]") {
    const TemporaryFolder folder;
    const RunDirectory run = test::sample_run(folder / "run", test::sample_setup());
    check_mutations(run.metrics_path(), run.metrics_path() + ":", [&] { test::read_everything(run); });
}

TEST_CASE("a run of a newer version that cannot be read says so", "[run]") {
    const TemporaryFolder folder;
    const RunDirectory run = test::sample_run(folder / "run", test::sample_setup());
    spill(run.config_path(), "novelty = 3\n" + slurp(run.config_path()));
    const auto refusal = [&] { return message_of<UserError>([&] { load_setup(run); }); };
    CHECK_THAT(refusal(), ContainsSubstring("novelty") && !ContainsSubstring("this is whorl"));
    const std::string manifest_path = folder / "run/manifest.json";
    std::string manifest = slurp(manifest_path);
    const std::string own = "\"version\": \"" + build_info().version + "\"";
    REQUIRE(manifest.find(own) != std::string::npos);
    spill(manifest_path, manifest.replace(manifest.find(own), own.size(), "\"version\": \"9.1.0\""));
    CHECK_THAT(refusal(),
               ContainsSubstring("novelty") && ContainsSubstring("the run is of whorl 9.1.0, this is whorl"));
}

TEST_CASE("a changed manifest is read as a run's or refused with its key", "[run][attacks]") {
    const TemporaryFolder folder;
    const RunDirectory run = test::sample_run(folder / "run", test::sample_setup());
    // Where it keeps another config than config.toml, that is what is refused.
    check_mutations(run.manifest_path(), run.path() + "/", [&] { test::read_everything(run); });
}

TEST_CASE("a changed state of a checkpoint is one that training goes on from or refused", "[run][attacks]") {
    small::Lab lab;
    lab.trainer.step(2);
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    const Evaluation validation = lab.trainer.evaluate(Split::validation, {{8}, 4, 0});
    save_checkpoint(run, lab.trainer.model(), lab.trainer.snapshot(), {"small", "parity", 1}, validation);
    const CheckpointFiles files = *run.newest_valid_checkpoint();
    check_mutations(files.state_path(), files.state_path(), [&] {
        lab.trainer.restore(load_checkpoint(files, lab.trainer.model().layout(), 3));
        if (const Evaluation stored = stored_validation(files, 3); !stored.accuracy.empty()) best_replica(stored);
        CHECK(stored_standing(files, 3).reason.size() == 3);
    });
}

TEST_CASE("a row of the wrong shape is named with its line and key", "[run][attacks]") {
    const TemporaryFolder folder;
    const RunSetup setup = test::sample_setup();
    const RunDirectory run = test::sample_run(folder / "run", setup);
    const std::string rows = slurp(run.metrics_path());
    const auto message_after = [&](const std::string& line) {
        spill(run.metrics_path(), rows + line + "\n");
        return message_of<UserError>([&] { last_evaluation(run, setup, Split::test); });
    };
    const auto test_row = [](const std::string& tail) {
        return R"({"kind":"test","step":20,"count":16,)" + tail + "}";
    };
    const std::string place = run.metrics_path() + ":6: ";
    CHECK(message_after(test_row(R"("sizes":[8,12])")) == place + "accuracy: required key is missing");
    CHECK(message_after("{}") == place + "kind: required key is missing");
    CHECK_THAT(message_after(R"({"kind":"tset"})"),
               ContainsSubstring(place + "kind: unknown value 'tset'; did you mean"));
    CHECK_THAT(message_after(test_row(R"("sizes":[8,12],"accuracy":[[1,1,1]],"loss":[[1,1,1]])")),
               ContainsSubstring(place + "accuracy: must hold a row for each"));
    CHECK_THAT(message_after(test_row(R"("sizes":[8,12],"accuracy":[[1,1,1],[1]],"loss":[[1,1,1],[1]])")),
               ContainsSubstring(place + "accuracy: must hold a row for each"));
    CHECK_THAT(message_after(test_row(R"("sizes":[8,12],"accuracy":[[1,1],[1,1]],"loss":[[1,1],[1,1]])")),
               ContainsSubstring(place + "accuracy: is of 2 replicas, the run has 3"));
    CHECK_THAT(message_after(test_row(R"("sizes":[8,12],"accuracy":[[1,2,1],[1,1,1]],"loss":[[1,1,1],[1,1,1]])")),
               ContainsSubstring("out of range"));
    CHECK_THAT(message_after(test_row(R"("sizes":[8,9],"accuracy":[[1,1,1],[1,1,1]],"loss":[[1,1,1],[1,1,1]])")),
               ContainsSubstring(place + "sizes: are not those of the run's config.toml"));
    CHECK_THAT(message_after("not JSON"), ContainsSubstring(run.metrics_path() + ":6: not valid JSON"));
}
