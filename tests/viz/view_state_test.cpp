// A link is the whole state of the screen, and nothing that a link may hold ends the program.
#include "viz/state/view_state.hpp"

#include <random>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string refused(const std::string& link) {
    return message_of<UserError>([&] { read_link(link); });
}

}  // namespace

TEST_CASE("a link gives back the state it was made of", "[viz][state]") {
    ViewState state;
    CHECK(link_of(state) == "whorl:1?");
    CHECK(read_link("whorl:1?").state == state);
    state.view = "dials";
    state.models = {"runs/α b,c", "parity-mamba3"};
    state.text = "01 & 10 = ? %41 #";
    state.cursor = 3;
    state.predicted = "b-a";
    state.shown = true;
    state.theme = "projector";
    state.scale = 1.25;
    state.x = "model.d_state", state.y = "steps", state.colour = "seed";
    state.filter = "accuracy>=90 and run=a,b=c", state.sort = "-accuracy";
    const std::string link = link_of(state);
    CHECK(link.find(' ') == std::string::npos);
    CHECK(read_link(link).state == state);
    CHECK(read_link(link).notes.empty());
    CHECK(link_of(read_link(link).state) == link);
}

TEST_CASE("a link of another version keeps what is known and names the rest", "[viz][state]") {
    const ReadLink read = read_link("whorl:1?text=01&hue=red&theme=dark");
    CHECK(read.state.text == "01");
    CHECK(read.state.theme == "dark");
    REQUIRE(read.notes.size() == 1);
    CHECK_THAT(read.notes[0], ContainsSubstring("'hue'"));
}

TEST_CASE("what is no link is refused in one line", "[viz][state]") {
    CHECK_THAT(refused("http://example.org"), ContainsSubstring("expected whorl:1?"));
    CHECK_THAT(refused("whorl:2?text=01"), ContainsSubstring("expected whorl:1?"));
    CHECK_THAT(refused("whorl:1?cursor=x"), ContainsSubstring("cursor=x: expected a position"));
    CHECK_THAT(refused("whorl:1?cursor=99999999999999999999"), ContainsSubstring("expected a position"));
    CHECK_THAT(refused("whorl:1?scale=0"), ContainsSubstring("expected 0.5 to 4"));
    CHECK_THAT(refused("whorl:1?scale=nan"), ContainsSubstring("expected 0.5 to 4"));
    CHECK_THAT(refused("whorl:1?shown=yes"), ContainsSubstring("expected 1 or 0"));
    CHECK_THAT(refused("whorl:1?text=" + std::string(2000, 'a')), ContainsSubstring("longer than 1024 bytes"));
    ViewState state;
    state.text.assign(2000, '0');
    CHECK_THAT(message_of<UserError>([&] { link_of(state); }), ContainsSubstring("too long"));
}

TEST_CASE("no bytes in a link end the program", "[viz][state]") {
    std::mt19937 random(7);
    const std::string good = "whorl:1?view=dials&models=a,b&text=0110&cursor=2&predicted=b-a&shown=1&scale=1.5";
    std::int64_t accepted = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string link = good;
        for (int changes = 0; changes < 1 + i % 4; ++changes)
            link[8 + random() % (link.size() - 8)] = static_cast<char>(random() % 256);
        try {
            const ReadLink read = read_link(link);
            CHECK(read_link(link_of(read.state)).state == read.state);
            ++accepted;
        } catch (const UserError&) {
        }
    }
    CHECK(accepted > 1000);
}
