// The explorer's figures are functions of its state, and every state that can be reached has one.
#include "viz/desk/desk.hpp"

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/viz/figure_marks.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("every view has a figure at every position of its cursor", "[viz][desk]") {
    Desk desk;
    for (const DeskView& view : desk_views()) {
        if (view.live) continue;
        ViewState state;
        state.view = view.name;
        const ReadText text = desk.text(state);
        const auto length = static_cast<std::int64_t>(text.tokens.size());
        for (const std::int64_t cursor : {std::int64_t{-1}, std::int64_t{1}, std::int64_t{2}, length / 2}) {
            if (cursor == 0) continue;
            state.cursor = cursor;
            INFO(link_of(state));
            CHECK(sound(desk.figure(state)));
        }
    }
}

TEST_CASE("predictions are kept in the state and judged by the figure", "[viz][desk]") {
    Desk desk;
    ViewState state;
    const std::size_t count = desk.start(state).dials.size();
    REQUIRE(count == 3);
    state = with_choice(state, 2, 0, count);
    state = with_choice(state, 0, 1, count);
    CHECK(state.predicted == "b-a");
    CHECK(choices_of(read_link(link_of(state)).state, count) == std::vector<int>{1, -1, 0});
    state.shown = true;
    CHECK(panel_of(desk.figure(state), "dial.0").subtitle == "✓ B: half a turn");
    CHECK(panel_of(desk.figure(state), "dial.2").subtitle == "✗ not A but B: other side");
    state.theme = "dark";  // what only paints is no other figure
    const plot::Figure* dark = &desk.figure(state);
    state.scale = 2;
    CHECK(dark == &desk.figure(state));
}

TEST_CASE("states that name what is not there are refused in one line", "[viz][desk]") {
    Desk desk;
    const auto refused = [&](const char* link) {
        return message_of<UserError>([&] { desk.figure(read_link(link).state); });
    };
    CHECK_THAT(refused("whorl:1?view=dails"), ContainsSubstring("did you mean 'dials'?"));
    CHECK_THAT(refused("whorl:1?models=parity-mamba"), ContainsSubstring("parity-mamba3"));
    CHECK_THAT(refused("whorl:1?text=012"), ContainsSubstring("'2' (character 3)"));
    CHECK_THAT(refused("whorl:1?view=ledger&text=size:999999"), ContainsSubstring("at most size:4096"));
    CHECK_THAT(refused("whorl:1?view=ledger&models=parity-gdn"), ContainsSubstring("no angles to book"));
    ViewState state;
    CHECK(desk.can_read(state, "01"));
    CHECK_FALSE(desk.can_read(state, "02"));
    CHECK_FALSE(desk.can_read(state, ""));
}

TEST_CASE("a text that is too long for a link still has a figure", "[viz][desk]") {
    ViewState state;
    state.view = "ledger";
    state.text = std::string(1200, '0') + "1";
    Desk desk;
    CHECK_FALSE(desk.figure(state).panels.empty());
    CHECK_THAT(message_of<UserError>([&] { link_of(state); }), ContainsSubstring("too long"));
    CHECK_FALSE(desk.signed_figure(state).source.empty());
}
