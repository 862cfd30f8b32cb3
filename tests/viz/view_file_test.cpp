// Views as files: what is opened is what was saved, on a machine that has nothing of it.
#include "viz/desk/view_file.hpp"

#include <cstdlib>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checkpoint_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/paint/base64.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Caches go into a folder of the test's own.
class OwnCache {
public:
    OwnCache() { setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
    ~OwnCache() { unsetenv("XDG_CACHE_HOME"); }

private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("base64 goes both ways", "[viz][view_file]") {
    std::string bytes;
    for (int i = 0; i < 70; ++i) {
        const auto back = plot::bytes_of_base64(plot::base64(bytes));
        REQUIRE(back);
        CHECK(*back == bytes);
        bytes += static_cast<char>(i * 37);
    }
    CHECK(plot::bytes_of_base64("Zm9v") == "foo");  // RFC 4648, section 10
    CHECK(plot::bytes_of_base64("Zm9vYg==") == "foob");
    CHECK_FALSE(plot::bytes_of_base64("Zm9"));
    CHECK_FALSE(plot::bytes_of_base64("Zm9?"));
}

TEST_CASE("a view with models that ship is a link in a file", "[viz][view_file]") {
    const OwnCache cache;
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/a.whorlview";
    ViewState state;
    state.view = "ledger";
    state.models = {"parity-mamba3-plain"};
    state.cursor = 20;
    Desk desk;
    save_view(path, state, desk);
    CHECK(std::filesystem::file_size(path) < 200);
    CHECK(open_view(path).state == state);
}

TEST_CASE("a view brings its models along", "[viz][view_file]") {
    const OwnCache cache;
    const TemporaryFolder folder;
    const std::string model = folder.path() + "/mine.safetensors", path = folder.path() + "/a.whorlview";
    Desk desk;
    const ShownModel& shipped = desk.shown("parity-mamba3-smoothed", {});
    save_model(model, shipped.exhibit.config, shipped.exhibit.slice, R"({"type":"parity"})");
    ViewState state, beside;
    state.view = beside.view = "dials";
    state.models = beside.models = {model};
    beside.text = "111";
    state.beside = key_of(beside);
    const plot::Figure before = desk.figure(state);
    save_view(path, state, desk);
    std::filesystem::remove(model);  // elsewhere it is not
    const OpenedView opened = open_view(path);
    Desk other;
    CHECK(other.figure(opened.state).words == before.words);
    CHECK(read_key(opened.state.beside).state.models == opened.state.models);  // packed once
    CHECK_THAT(read_text_file(path, 1 << 20), !ContainsSubstring("model:2"));
}

TEST_CASE("files that hold no view are refused in one line", "[viz][view_file]") {
    const OwnCache cache;
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/a.whorlview";
    const auto refused = [&](const std::string& text, const char* because) {
        write_file(path, text);
        CHECK_THROWS_WITH(open_view(path), ContainsSubstring(because));
    };
    refused("whorl_view = 2\nstate = \"whorl:1?\"\n", "whorl_view");
    refused("whorl_view = 1\nstate = \"whorl:1?models=model:1\"\n", "is not in the file");
    refused("whorl_view = 1\nstate = \"whorl:1?models=model:1\"\n[[model]]\nabout=\"\"\nfile=\"Zm9\"\n", "damaged");
    refused("whorl_view = 1\nstate = \"whorl:1?models=model:1\"\n[[model]]\nchecksum=\"00\"\nfile=\"Zm9v\"\n",
            "its checksum is another");
    refused("state", "a.whorlview");
    CHECK_THROWS_AS(open_view(folder.path() + "/none.whorlview"), UserError);
}
