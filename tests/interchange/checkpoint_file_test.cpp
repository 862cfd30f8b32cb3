#include "core/io/checkpoint_file.hpp"

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/run_directory.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/release.hpp"

using namespace whorl;
using namespace whorl::interchange_test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kNotFinite = std::numeric_limits<double>::quiet_NaN();

ModelConfig tiny_config() {
    Mamba2Config layer;
    layer.headdim = 4, layer.d_state = 4;
    ModelConfig config;
    config.d_model = 8;
    config.vocab_size = 3;
    config.layers = {layer};
    return config;
}

/// A run with checkpoints written as training writes them; replica r holds r + step at the start of its slice.
class Run {
public:
    explicit Run(std::int64_t replicas)
        : replicas_(replicas), run_(RunDirectory::create(folder_ / "run", "name = \"run\"\n")) {}

    void save(std::int64_t step, const Evaluation& validation = {}) {
        const auto backend = make_cpu_backend(1);
        const LanguageModel model(tiny_config(), *backend, DType::f32);
        TrainerSnapshot snapshot;
        snapshot.step = step;
        snapshot.standing = Standing(static_cast<std::size_t>(replicas_));
        snapshot.sums = IntervalSums(static_cast<std::size_t>(replicas_));
        const auto slice = static_cast<std::size_t>(model.layout().slice());
        std::vector<float> values(slice * static_cast<std::size_t>(replicas_), 0.5F);
        for (std::size_t r = 0; r < static_cast<std::size_t>(replicas_); ++r)
            values[r * slice] = static_cast<float>(r) + static_cast<float>(step);
        snapshot.values = {values, values, values};
        save_checkpoint(run_, model, snapshot, {"run", "parity", 1}, validation);
    }
    std::string path() const { return run_.path(); }
    std::string checkpoint(std::int64_t step) const {
        return run_.checkpoints_path() + "/step-" + std::to_string(step);
    }

private:
    TemporaryFolder folder_;
    std::int64_t replicas_;
    RunDirectory run_;
};

Evaluation evaluation(std::vector<std::vector<double>> accuracy, std::vector<std::vector<double>> loss) {
    Evaluation e;
    for (std::size_t i = 0; i < accuracy.size(); ++i) e.sizes.push_back(8 + static_cast<std::int64_t>(i));
    e.count = 1;
    e.accuracy = std::move(accuracy);
    e.loss = std::move(loss);
    return e;
}

std::string load_error(const std::string& path, const ReplicaChoice& choice = {}) {
    return message_of<UserError>([&] { load_model(path, choice); });
}

}  // namespace

TEST_CASE("checkpoint file: what is saved is loaded", "[model]") {
    const TinyModel model(tiny_config());
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    save_model(path, model.config, model.slice);
    for (const std::string& from : {path, folder.path()}) {
        const LoadedModel loaded = load_model(from);
        CHECK(to_json(loaded.config) == to_json(model.config));
        CHECK(loaded.slice == model.slice);
        CHECK(loaded.replicas == 1);
        CHECK(loaded.path == path);
    }
    CHECK(SafetensorsFile::open(path).metadata_at("format") == "whorl-checkpoint-1");
    CHECK_THAT(load_error(path, {1}), ContainsSubstring("--replica 1: there are replicas 0..0"));
}

TEST_CASE("checkpoint file: one replica of a run, of a checkpoint, of a file", "[model]") {
    Run run(3);
    run.save(10);
    run.save(20);
    CHECK(load_model(run.path(), {2}).slice[0] == 22);
    CHECK(load_model(run.checkpoint(10), {1}).slice[0] == 11);
    const LoadedModel model = load_model(run.checkpoint(20) + "/model.safetensors", {0});
    CHECK(model.slice[0] == 20);
    CHECK(model.replicas == 3);
    CHECK_THAT(load_error(run.path(), {3}), ContainsSubstring("there are replicas 0..2"));
    CHECK_THAT(load_error(run.path()),
               ContainsSubstring("holds 3 replicas; choose one with --replica 0..2 or --replica best"));
    CHECK_THAT(load_error(run.path(), {-1, true}), ContainsSubstring("name a replica by its number"));
}

TEST_CASE("checkpoint file: a run of one replica needs no choice", "[model]") {
    Run run(1);
    run.save(5);
    CHECK(load_model(run.path()).slice[0] == 5);
    CHECK(load_model(run.path(), {-1, true}).slice[0] == 5);
}

TEST_CASE("checkpoint file: a damaged checkpoint is passed over, and said to be", "[model]") {
    Run run(1);
    run.save(10);
    run.save(20);
    spill(run.checkpoint(20) + "/state.json", "{}");
    const LoadedModel model = load_model(run.path());
    CHECK(model.slice[0] == 10);
    CHECK_THAT(model.notes.at(0), ContainsSubstring("damaged") && ContainsSubstring("an earlier checkpoint is used"));
    CHECK_THAT(load_error(run.checkpoint(20)), ContainsSubstring("damaged"));
    spill(run.checkpoint(10) + "/state.json", "{}");
    CHECK_THAT(load_error(run.path()), ContainsSubstring("no checkpoint of the run is intact"));
}

TEST_CASE("checkpoint file: best is what training calls best", "[model]") {
    const Evaluation rankings[] = {
        evaluation({{0.1, 0.9, 0.5}}, {{3, 2, 1}}),
        evaluation({{0.5, 0.5, 0.5}}, {{3, 1, 1}}),
        evaluation({{0.5, 0.5, 0.2}, {0.5, 0.5, 1.0}}, {{2, 1, 0}, {2, 1, 0}}),
        evaluation({{0.5, 0.5, 0.5}}, {{kNotFinite, 2, kNotFinite}}),
        evaluation({{0.5, 0.5, 0.5}}, {{2, kNotFinite, 1}}),
    };
    for (const Evaluation& ranking : rankings) {
        Run run(3);
        run.save(1, ranking);
        CHECK(load_model(run.path(), {-1, true}).replica == static_cast<std::int64_t>(best_replica(ranking)));
    }
}

TEST_CASE("checkpoint file: --replica", "[model]") {
    CHECK(replica_choice("").index == -1);
    CHECK_FALSE(replica_choice("").best);
    CHECK(replica_choice("12").index == 12);
    CHECK(replica_choice("best").best);
    for (const char* text : {"-1", "two", "1.5", "99999999999999999999", "1 "})
        CHECK_THAT(message_of<UserError>([&] { replica_choice(text); }),
                   ContainsSubstring("expected best or a number from 0"));
}

TEST_CASE("checkpoint file: files that are no checkpoints", "[model]") {
    const TinyModel model(tiny_config());
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors", config = to_json(model.config);
    const auto write = [&](const ReleasedTensors& tensors, const std::map<std::string, std::string>& metadata) {
        std::vector<TensorView> views;
        for (const auto& [name, t] : tensors)
            views.push_back(tensor_view<float>(name, t.shape, std::span<const float>(t.values)));
        write_safetensors(path, views, metadata);
    };
    ReleasedTensors tensors = mamba_release(model);
    SECTION("missing") {
        CHECK_THAT(load_error(folder / "none"), ContainsSubstring("none"));
    }
    SECTION("an empty folder") {
        CHECK_THAT(load_error(folder.path()), ContainsSubstring("holds neither a run, nor a checkpoint"));
    }
    SECTION("a released checkpoint") {
        spill(folder / "config.json", "{}");
        write(tensors, {{"format", "pt"}});
        CHECK_THAT(load_error(folder.path()), ContainsSubstring("'whorl import' first"));
        CHECK_THAT(load_error(path), ContainsSubstring("'whorl import' reads released checkpoints"));
    }
    SECTION("a later format") {
        write(tensors, {{"format", "whorl-checkpoint-2"}, {"config", config}});
        CHECK_THAT(load_error(path), ContainsSubstring("unknown format 'whorl-checkpoint-2'"));
    }
    SECTION("a surplus tensor") {
        tensors["extra"] = {{1}, {1}};
        write(tensors, {{"config", config}});
        CHECK_THAT(load_error(path), ContainsSubstring("'extra': the model of the config has no such parameter"));
    }
    SECTION("a misshapen tensor") {
        tensors["backbone.norm_f.weight"] = {{4, 2}, std::vector<float>(8)};
        write(tensors, {{"config", config}});
        CHECK_THAT(load_error(path), ContainsSubstring("shape [4,2], but the config needs [8]"));
    }
    SECTION("tensors that disagree on the replicas") {
        tensors["backbone.norm_f.weight"] = {{2, 8}, std::vector<float>(16)};
        write(tensors, {{"config", config}});
        CHECK_THAT(load_error(path), ContainsSubstring("replicas"));
    }
    SECTION("a config of other sizes") {
        ModelConfig wide = model.config;
        wide.d_model = 65536;
        write(tensors, {{"config", to_json(wide)}});
        CHECK_THAT(load_error(path), ContainsSubstring("but the config needs [3,65536]"));
    }
}
