// `whorl import` and `whorl export` as functions: flags in, files and one-line errors out.
#include "app/cli/command.hpp"

#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/release.hpp"

using namespace whorl;
using namespace whorl::interchange_test;
using Catch::Matchers::ContainsSubstring;

namespace whorl::cli {
int run_import(const Arguments& arguments);
int run_export(const Arguments& arguments);
}  // namespace whorl::cli

namespace {

template <class Run>
std::string error_of(Run run, const cli::Arguments& words) {
    return message_of<UserError>([&] { run(words); });
}

}  // namespace

TEST_CASE("export, then import, on the command line", "[interchange][cli]") {
    const TemporaryFolder folder;
    const TinyModel model(model_preset("mamba3").make({16, 1, 3, 8, 8, 24}));
    const std::string file = folder / "model.safetensors", release = folder / "release",
                      back = folder / "back.safetensors";
    save_model(file, model.config, model.slice);
    REQUIRE(cli::run_export({file, "--format", "mamba", "--out", release}) == 0);
    REQUIRE(cli::run_import({release, "--out", back}) == 0);
    CHECK(slurp(back) == slurp(file));

    CHECK_THAT(error_of(cli::run_import, {release, "--out", back, "--a-activation", "heavy_tail"}),
               ContainsSubstring("contradicts"));
    CHECK_THAT(error_of(cli::run_import, {release, "--out", back, "--a-activation", "softmax"}),
               ContainsSubstring("--a-activation 'softmax': unknown value"));
    CHECK_THAT(error_of(cli::run_import, {release, "--out", back, "--vocab", "kep"}),
               ContainsSubstring("did you mean 'keep'?"));
    CHECK_THAT(error_of(cli::run_import, {release}), ContainsSubstring("--out FILE.safetensors is missing"));
    CHECK_THAT(error_of(cli::run_import, {release, "--out", release + "/model.safetensors"}),
               ContainsSubstring("would replace"));
    CHECK_THAT(error_of(cli::run_import, {file, "--config", release + "/config.json", "--out", back}),
               ContainsSubstring("is a Whorl checkpoint already"));
    CHECK_THAT(error_of(cli::run_import, {folder / "none", "--out", back}),
               ContainsSubstring("no such file or folder"));
    CHECK_THAT(error_of(cli::run_export, {file, "--format", "mama", "--out", release}),
               ContainsSubstring("did you mean 'mamba'?"));
    CHECK_THAT(error_of(cli::run_export, {file, "--replica", "1", "--out", release}),
               ContainsSubstring("there are replicas 0..0"));
    CHECK_THAT(error_of(cli::run_export, {file}), ContainsSubstring("--out DIR or --out FILE.safetensors is missing"));
}

TEST_CASE("a failed import leaves nothing behind", "[interchange][cli]") {
    const TemporaryFolder folder;
    const TinyModel model(model_preset("mamba2").make({16, 1, 3, 8, 8, 0}));
    const std::string release = write_release(
        folder,
        R"({"d_model": 16, "n_layer": 1, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2", "headdim": 8, "d_state": 4}})",
        mamba_release(model));
    CHECK_THAT(error_of(cli::run_import, {release, "--out", folder / "out.safetensors"}),
               ContainsSubstring("but the config needs"));
    CHECK(folder.entries() == 1);
}
