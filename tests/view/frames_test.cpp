// A scrub as pictures: one a token, each of its own moment, and never into a folder that holds something.
#include "viz/app/frames.hpp"

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using namespace whorl::view;
using Catch::Matchers::ContainsSubstring;

namespace {

viz::ViewState dials() {
    viz::ViewState state;
    state.view = "dials";
    state.text = "011";
    return state;
}

}  // namespace

TEST_CASE("a scrub goes over every token and ends with all read", "[view][frames]") {
    viz::Desk desk;
    const std::vector<viz::ViewState> states = scrub(desk, dials());
    REQUIRE(states.size() == 3);
    CHECK(states[0].cursor == 1);
    CHECK(states[1].cursor == 2);
    CHECK(states[2] == dials());
    viz::ViewState without_text;
    without_text.view = "map";
    CHECK_THAT(message_of<UserError>([&] { scrub(desk, without_text); }), ContainsSubstring("reads no text"));
}

TEST_CASE("a scrub through a training stops at every moment that was kept", "[view][frames]") {
    viz::Moments moments;
    for (const std::int64_t step : {4, 8, 12}) moments.at.push_back({step, {}});
    viz::ViewState state;
    state.view = "train";
    const std::vector<viz::ViewState> states = scrub(moments, state);
    REQUIRE(states.size() == 3);
    CHECK(states[0].moment == 4);
    CHECK(states[2].moment == 12);
    CHECK(states[2].view == "train");
}

TEST_CASE("frames are written into a new folder", "[view][frames]") {
    const TemporaryFolder folder;
    ViewArguments arguments;
    arguments.state = dials();
    arguments.size = {640, 360, 1, "Test"};
    arguments.frames = folder / "new/film";
    try {
        hidden_window(arguments.size);
    } catch (const RuntimeFailure& error) {
        WARN("skipped: " << error.what());
        return;
    }
    CHECK(write_frames(arguments) == 3);
    const std::string first = slurp(folder / "new/film/0001.png"), last = slurp(folder / "new/film/0003.png");
    CHECK(first.compare(1, 3, "PNG") == 0);
    CHECK_FALSE(first == last);
    CHECK_THAT(message_of<UserError>([&] { write_frames(arguments); }), ContainsSubstring("holds something already"));
    arguments.frames = folder / "new/film/0001.png";
    CHECK_THAT(message_of<UserError>([&] { write_frames(arguments); }), ContainsSubstring("is no folder"));
    arguments.frames = folder / "other";
    arguments.state.models = {"nothing"};
    CHECK_THAT(message_of<UserError>([&] { write_frames(arguments); }), ContainsSubstring("nothing"));
    CHECK(folder.entries() == 1);
}
