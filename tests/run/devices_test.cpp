// A run's folder holds the same bytes however many devices it was trained on, and goes on on any number of them.
#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "core/backend/communicator.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_sets.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
using whorl::test::device_sets;
using whorl::test::DeviceSet;

namespace {

RunSetup tiny(const std::string& more = "") {
    return set_up(parse_toml("name = 'tiny'\nsteps = 24\nbatch = 6\nlog_every = 7\n" + more + R"(
[task]
type = 'parity'
[model]
preset = 'mamba3'
d_model = 16
d_state = 16
headdim = 8
[replicas]
learning_rate = [3e-3, 1e-2, 1e-3]
[curriculum]
start = 6
end = 12
[validation]
every = 10
sizes = [8]
count = 16
[test]
sizes = [8, 12]
count = 16
[checkpoint]
every = 8
)",
                             "tiny.toml"));
}

struct Trained {
    SessionResult result;
    std::vector<std::string> notes;
};

/// Until step `last` at least; 0: to the end.
Trained train(const RunSetup& setup, const RunDirectory& run, const Devices& devices, std::int64_t last = 0) {
    Trained trained;
    std::int64_t step = 0;
    SessionHooks hooks;
    hooks.progress = [&](const Progress& progress) { step = progress.row.step; };
    hooks.note = [&](const std::string& text) { trained.notes.push_back(text); };
    hooks.stop = [&] { return last > 0 && step >= last; };
    trained.result = train_run(setup, run, devices, hooks);
    return trained;
}

void check_same_files(const RunDirectory& a, const RunDirectory& b) {
    for (const char* file : {"config.toml", "metrics.jsonl", "checkpoints/step-24/model.safetensors",
                             "checkpoints/step-24/optimizer.safetensors", "checkpoints/step-24/state.json",
                             "checkpoints/step-24/checksums.json"}) {
        INFO(file);
        const std::string content = slurp(a.path() + "/" + file);
        CHECK_FALSE(content.empty());
        CHECK(content == slurp(b.path() + "/" + file));
    }
}

}  // namespace

TEST_CASE("a run's files do not depend on the number of devices nor on when it changed",
          "[training][devices][determinism]") {
    const RunSetup setup = tiny();
    for (const DeviceSet& set : device_sets()) {
        const TemporaryFolder folder;
        const RunDirectory one = open_or_create(folder / "one", setup), all = open_or_create(folder / "all", setup),
                           both = open_or_create(folder / "both", setup);
        train(setup, one, set.first(1));
        train(setup, all, set.first(set.size()));
        CHECK(train(setup, both, set.first(2), 9).result.interrupted);
        CHECK(train(setup, both, set.first(1), 15).result.interrupted);
        CHECK_FALSE(train(setup, both, set.first(2)).result.interrupted);
        check_same_files(one, all);
        check_same_files(one, both);
        CHECK_THAT(slurp(all.manifest_path()), ContainsSubstring("\"devices\": " + std::to_string(set.size())));
        CHECK(load_status(both).earlier.empty());  // no other build or machine
    }
}

TEST_CASE("devices that have nothing to do are named", "[training][devices]") {
    const RunSetup setup = tiny();
    const DeviceSet set = whorl::test::several_processors();
    std::vector<Backend*> four;
    const auto more = make_cpu_backend(1);
    for (std::size_t i = 0; i < 3; ++i) four.push_back(&set.first(3)[i]);
    four.push_back(more.get());
    const TemporaryFolder folder;
    const Trained trained = train(setup, open_or_create(folder / "run", setup), Devices(four), 1);
    REQUIRE(trained.notes.size() == 1);
    CHECK_THAT(trained.notes[0], ContainsSubstring("3 of 4") && ContainsSubstring("data_parallel = 4"));
}

TEST_CASE("a run of which each batch is shared says so and needs as many devices", "[training][devices]") {
    const RunSetup setup = tiny("data_parallel = 2\n");
    CHECK(*setup.config.determinism == Determinism::same_setup);
    CHECK_THAT(setup.toml(), ContainsSubstring("data_parallel = 2"));
    const DeviceSet processors = whorl::test::several_processors();
    CHECK_THAT(message_of<UserError>([&] { check_devices(setup, processors.first(1), {}); }),
               ContainsSubstring("data_parallel") && ContainsSubstring("--devices"));
    CHECK_THAT(message_of<UserError>([&] { tiny("data_parallel = 4\n"); }), ContainsSubstring("must divide batch"));
    CHECK_THAT(message_of<UserError>([&] { tiny("data_parallel = 2\ndeterminism = 'same_replica'\n"); }),
               ContainsSubstring("data_parallel"));
    const DeviceSet gpus = whorl::test::several_gpus();
    if (gpus.size() < 2 || !why_no_communicator().empty()) return;
    const TemporaryFolder folder;
    const RunDirectory whole = open_or_create(folder / "whole", setup), parts = open_or_create(folder / "parts", setup);
    const Trained trained = train(setup, whole, gpus.first(2));
    REQUIRE(trained.notes.size() == 1);
    CHECK_THAT(trained.notes[0], ContainsSubstring("within rounding"));
    CHECK(train(setup, parts, gpus.first(2), 9).result.interrupted);
    CHECK_THROWS_AS(train(setup, parts, gpus.first(1)), UserError);
    train(setup, parts, gpus.first(2));
    check_same_files(whole, parts);
    CHECK_THAT(slurp(whole.manifest_path()), ContainsSubstring("\"data_parallel\": 2"));
}
