// Figures saved: the ending chooses, and what cannot be saved leaves nothing behind.
#include "viz/paint/save.hpp"

#include <cmath>
#include <cstdlib>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/xml_reader.hpp"
#include "viz/paint/pdf.hpp"

using namespace whorl;
using namespace whorl::plot;
using Catch::Matchers::ContainsSubstring;

namespace {

Figure small_figure() {
    Panel panel;
    panel.id = "p";
    panel.marks = {Line{"line", {{0, 0}, {1, 1}}, {}, "up"}};
    Figure figure;
    figure.id = "small", figure.claim = "It rises", figure.panels = {panel};
    figure.words = {"From 0 to 1."}, figure.width = 400, figure.height = 300;
    return figure;
}

std::string message_of(const std::string& path, const SaveOptions& options = {}) {
    try {
        save_figure(path, small_figure(), theme("light"), options);
    } catch (const UserError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("the ending chooses what a figure becomes", "[viz][save]") {
    const TemporaryFolder folder;
    for (const char* name : {"a.svg", "a.PNG", "a.json", "a.csv", "a.txt"})
        save_figure(folder / name, small_figure(), theme("light"));
    CHECK(folder.entries() == 5);
    CHECK(named(read_xml(slurp(folder / "a.svg")), "title").at(0).text.find("It rises") != std::string::npos);
    CHECK(read_png(slurp(folder / "a.PNG")).width == 400);
    CHECK(slurp(folder / "a.csv").find("p,line,line,ink,point,1,1,1,,up\n") != std::string::npos);
    CHECK(slurp(folder / "a.txt") == "It rises\n\nFrom 0 to 1.\n");
    SaveOptions options;
    options.scale = 2.5, options.width = 300;
    save_figure(folder / "a.png", small_figure(), theme("dark"), options);
    CHECK(read_png(slurp(folder / "a.png")).width == 750);
    CHECK(read_png(slurp(folder / "a.png")).height == 750);
}

TEST_CASE("what cannot be saved is one line and leaves nothing", "[viz][save]") {
    const TemporaryFolder folder;
    CHECK_THAT(message_of(folder / "a.jpg"), ContainsSubstring("'.jpg' is no ending of figures"));
    CHECK_THAT(message_of(folder / "a.jpg"), ContainsSubstring(".svg"));
    CHECK_THAT(message_of(folder / "a.pgn"), ContainsSubstring("did you mean '.png'?"));
    CHECK_THAT(message_of(folder / "a"), ContainsSubstring("no ending"));
    CHECK_THAT(message_of(folder / "none/a.svg"), ContainsSubstring("does not exist"));
    SaveOptions options;
    options.scale = 9;
    CHECK_THAT(message_of(folder / "a.png", options), ContainsSubstring("scale of 9 is not between 1 and 4"));
    options = {};
    options.width = 20;
    CHECK_THAT(message_of(folder / "a.svg", options), ContainsSubstring("width of 20 is not between"));
    options.width = std::nan("");
    CHECK_THAT(message_of(folder / "a.svg", options), ContainsSubstring("width of nan"));
    CHECK(folder.entries() == 0);
}

TEST_CASE("PDF is made where its program is and refused where it is not", "[viz][save]") {
    const TemporaryFolder folder;
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", folder.path().c_str(), 1);
    const std::string message = message_of(folder / "a.pdf");
    ::setenv("PATH", path.c_str(), 1);
    CHECK_THAT(message, ContainsSubstring("librsvg2-bin"));
    CHECK(folder.entries() == 0);
    if (run_command("command -v rsvg-convert").status != 0) SKIP("needs rsvg-convert (package librsvg2-bin)");
    save_figure(folder / "a.pdf", small_figure(), theme("light"));
    CHECK(slurp(folder / "a.pdf").substr(0, 5) == "%PDF-");
    CHECK(slurp(folder / "a.pdf").size() > 2000);
}
