// What follows `whorl view`: views, models, links and files, and one line for what is none of them.
#include "viz/app/arguments.hpp"

#include "app/run/model_task.hpp"
#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/io/checkpoint_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/desk/desk.hpp"

using namespace whorl;
using namespace whorl::view;
using Catch::Matchers::ContainsSubstring;

namespace {

viz::ViewState state_of(const std::vector<std::string>& words) {
    return view_arguments(words).value().state;
}
std::string refusal(const std::vector<std::string>& words) {
    return message_of<UserError>([&] { view_arguments(words); });
}

}  // namespace

TEST_CASE("a model opens in the view that suits it", "[view][arguments]") {
    CHECK(state_of({}).view == "start");
    CHECK(state_of({"needle-gdn"}).view == "needle");
    CHECK(state_of({"parity-mamba3-plain"}).view == "dials");
    CHECK(state_of({"ledger", "parity-mamba3-plain"}).view == "ledger");
    CHECK(state_of({"parity-mamba3-plain", "ledger"}).view == "ledger");
    CHECK(state_of({"needle-gdn", "needle-mamba3"}).models == std::vector<std::string>{"needle-gdn", "needle-mamba3"});
    CHECK(state_of({"whorl:1?view=map&theme=dark", "--theme", "projector"}).theme == "projector");
    CHECK(state_of({"--theme=projector", "whorl:1?view=map&theme=dark"}).theme == "projector");
}

TEST_CASE("a checkpoint that is no model that ships is read from its file", "[view][arguments]") {
    const TemporaryFolder folder;
    const NamedModel model = named_model("parity-mamba3");
    const std::string path = folder / "mine@2.safetensors";
    save_model(path, model.config, model.slice, stored_task(model.task));
    const viz::ViewState state = state_of({path});
    CHECK(state.view == "dials");
    viz::Desk desk;
    CHECK_FALSE(desk.figure(state).panels.empty());
    CHECK_THAT(refusal({path + "@7"}), ContainsSubstring("replica"));
    save_model(path, model.config, model.slice);
    CHECK_THAT(refusal({path}), ContainsSubstring("does not say what task"));
}

TEST_CASE("a lesson opens at its first step", "[view][arguments]") {
    CHECK(state_of({"half-a-turn"}).lesson == "half-a-turn");
    CHECK(view_arguments({"half-a-turn", "--check"}).value().check);
    CHECK_THAT(refusal({"--check"}), ContainsSubstring("name a lesson"));
    CHECK_THAT(refusal({"half-a-trun"}), ContainsSubstring("did you mean 'half-a-turn'?"));
    CHECK_THAT(refusal({"nothing.toml"}), ContainsSubstring("nothing.toml"));
}

TEST_CASE("a bench lasts as long as is said after it", "[view][arguments]") {
    CHECK(view_arguments({}).value().bench == 0);
    CHECK(view_arguments({"--bench"}).value().bench == 4);
    CHECK(view_arguments({"--bench", "1.5"}).value().bench == 1.5);
    CHECK(view_arguments({"--bench=2"}).value().bench == 2);
    CHECK(view_arguments({"--bench", "ledger"}).value().state.view == "ledger");
    CHECK_THAT(refusal({"--bench", "0"}), ContainsSubstring("0.1..600"));
}

TEST_CASE("what is no view, link, model or file is refused in one line", "[view][arguments]") {
    CHECK_THAT(refusal({"ledgr"}), ContainsSubstring("did you mean 'ledger'?"));
    CHECK_THAT(refusal({"parity-mamba4"}), ContainsSubstring("did you mean 'parity-mamba3'?"));
    CHECK_THAT(refusal({"runs/nothing"}), ContainsSubstring("no such file or run"));
    CHECK_THAT(refusal({"--them", "dark"}), ContainsSubstring("did you mean '--theme'?"));
    CHECK_THAT(refusal({"--screenshot", "x.bmp"}), ContainsSubstring(".svg, .png"));
    CHECK_THAT(refusal({"--theme"}), ContainsSubstring("its value is missing"));
}
