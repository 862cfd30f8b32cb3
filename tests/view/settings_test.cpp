// What is kept from one time to the next: read back as written, never from what is broken, and nothing lost.
#include "viz/app/settings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/app/sitting.hpp"

using namespace whorl;
using namespace whorl::view;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A variable of the environment while a test runs.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        set(value);
    }
    ~Variable() { set(before_ ? before_->c_str() : nullptr); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    void set(const char* value) { value == nullptr ? ::unsetenv(name_) : ::setenv(name_, value, 1); }
    const char* name_;
    std::optional<std::string> before_;
};

Look look_of(const std::string& view, const std::string& theme = "light") {
    Look look{{}, 1280, 720};
    look.state.view = view;
    look.state.theme = theme;
    return look;
}

}  // namespace

TEST_CASE("settings lie where the desktop's rules put them", "[view][settings]") {
    {
        const Variable config("XDG_CONFIG_HOME", "/elsewhere"), home("HOME", "/home/someone");
        CHECK(settings_path() == "/elsewhere/whorl/explorer.toml");
    }
    for (const char* unusable : {"", "relative/folder"}) {
        const Variable config("XDG_CONFIG_HOME", unusable), home("HOME", "/home/someone");
        CHECK(settings_path() == "/home/someone/.config/whorl/explorer.toml");
    }
    const Variable config("XDG_CONFIG_HOME", nullptr), home("HOME", nullptr);
    CHECK(settings_path().empty());
    CHECK(read_settings("") == Settings{});
}

TEST_CASE("settings are read as they were written", "[view][settings]") {
    const TemporaryFolder folder;
    const Variable config("XDG_CONFIG_HOME", folder.path().c_str());
    CHECK(read_settings(settings_path()) == Settings{});
    const Settings settings{"projector", 1.25, 900, 600, "whorl:1?view=ledger&cursor=7"};
    SettingsKeeper(settings_path(), {}).keep(settings);  // written at its end
    CHECK(read_settings(settings_path()) == settings);
    CHECK(state_to_resume(settings).cursor == 7);
}

TEST_CASE("settings that mean nothing are refused in one line", "[view][settings]") {
    const TemporaryFolder folder;
    const std::string path = folder / "explorer.toml";
    const auto refusal = [&](const std::string& text) {
        spill(path, text);
        return message_of<UserError>([&] { read_settings(path); });
    };
    CHECK_THAT(refusal("theme = \"drak\"\n"), ContainsSubstring("did you mean 'dark'?"));
    CHECK_THAT(refusal("scale = 40.0\n"), ContainsSubstring("scale"));
    CHECK_THAT(refusal("width = 1\n"), ContainsSubstring("width"));
    CHECK_THAT(refusal("theem = \"dark\"\n"), ContainsSubstring("theme"));
    CHECK_THAT(refusal("theme = \n"), ContainsSubstring("explorer.toml:1"));
}

TEST_CASE("a last view of another version costs no other setting", "[view][settings]") {
    const TemporaryFolder folder;
    const std::string path = folder / "explorer.toml";
    for (const char* link : {"whorl:2?view=later", "whorl:1?view=later", "whorl:1?cursor=x", "http://elsewhere"}) {
        INFO(link);
        spill(path, "theme = \"dark\"\nlast = \"" + std::string(link) + "\"\n");
        const Settings settings = read_settings(path);
        CHECK(settings.theme == "dark");
        CHECK(last_name(settings).empty());
        CHECK_FALSE(message_of<UserError>([&] { state_to_resume(settings); }).empty());
        const Look start{viz::ViewState{}, 1280, 720};
        CHECK(settled(settings, start, start).last == link);
    }
}

TEST_CASE("what was changed by hand stays and what was asked for once does not", "[view][settings]") {
    const Settings stored{"dark", 1.5, 900, 600, "whorl:1?view=map"};
    const Look opened = look_of("start", "projector");  // --theme projector
    CHECK(settled(stored, opened, opened) == stored);
    Look now = opened;
    now.state.theme = "light";
    CHECK(settled(stored, opened, now).theme == "light");
    CHECK(settled(stored, opened, now).last == stored.last);  // nothing was looked at yet
    now.state.scale = 2;
    now.width = 1000;
    CHECK(settled(stored, opened, now).scale == 2);
    CHECK(settled(stored, opened, now).width == 1000);
    CHECK(settled(stored, opened, now).height == 600);
    now.width = now.height = 0;  // folded away
    CHECK(settled(stored, opened, now).width == 900);
    now.state.view = "ledger";
    CHECK(state_to_resume(settled(stored, opened, now)).view == "ledger");
    CHECK(state_to_resume(settled(stored, look_of("needle"), look_of("needle"))).view == "needle");
}

TEST_CASE("a start screen that was played with counts as seen", "[view][settings]") {
    const Settings stored{"light", 1, 1280, 720, "whorl:1?view=map"};
    Look now = look_of("start");
    now.state.cursor = 2;  // it plays by itself
    CHECK(settled(stored, look_of("start"), now).last == stored.last);
    now.state.text = "0111";
    CHECK(state_to_resume(settled(stored, look_of("start"), now)).text == "0111");
    CHECK(settled(stored, look_of("map"), look_of("start")).last == "whorl:1?");
}

TEST_CASE("files are found again from any folder", "[view][settings]") {
    const TemporaryFolder folder;
    spill(folder / "mine.safetensors", "");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    Look now = look_of("dials");
    now.state.models = {"mine.safetensors@2", "needle-gdn", "nothing"};
    const Settings settings = settled({}, look_of("start"), now);
    const std::string here = std::filesystem::current_path().string();
    std::filesystem::current_path(before);
    CHECK(state_to_resume(settings).models ==
          std::vector<std::string>{here + "/mine.safetensors@2", "needle-gdn", "nothing"});
}

TEST_CASE("a text too long for a link does not cost the rest", "[view][settings]") {
    Look now = look_of("dials", "dark");
    now.state.text = std::string(4000, '1');
    CHECK(state_to_resume(settled({}, look_of("start"), now)).view == "dials");
}

TEST_CASE("the last view has a name unless it was the start screen", "[view][settings]") {
    const auto name = [](const std::string& link) { return last_name({"light", 1, 1280, 720, link}); };
    CHECK(name("").empty());
    CHECK(name("whorl:1?text=0111").empty());
    CHECK(name("whorl:1?view=of-a-newer-version").empty());
    CHECK(name("whorl:1?view=ledger") == "Ledger");
    CHECK(name("whorl:1?view=dials&lesson=half-a-turn&step=3") == "half-a-turn, step 3");
}

TEST_CASE("what is asked for comes before what was kept", "[view][settings]") {
    const Settings stored{"dark", 1.5, 900, 600, "whorl:1?view=map&theme=projector&scale=2"};
    const auto applied = [&](const std::vector<std::string>& words) {
        ViewArguments arguments = view_arguments(words).value();
        apply(stored, arguments);
        return arguments;
    };
    CHECK(applied({}).state.view == "start");
    CHECK(applied({}).state.theme == "dark");
    CHECK(applied({}).state.scale == 1.5);
    CHECK(applied({}).size.width == 900);
    CHECK(applied({"--theme", "light", "--width", "700"}).state.theme == "light");
    CHECK(applied({"--theme", "light", "--width", "700"}).size.height == 720);
    CHECK(applied({"whorl:1?view=ledger"}).state.theme == "light");  // a link is all that it showed
    CHECK(applied({"half-a-turn"}).state.theme == "dark");
    CHECK(applied({"--resume"}).state.view == "map");
    CHECK(applied({"--resume"}).state.theme == "projector");
    CHECK(applied({"--resume"}).state.scale == 2);
    CHECK(applied({"--resume", "--theme", "light"}).state.theme == "light");
    const std::string refused = message_of<UserError>([] { view_arguments({"--resume", "ledger"}); });
    CHECK_THAT(refused, ContainsSubstring("no other view"));
}

TEST_CASE("settings are written as they change, once a second at most", "[view][settings]") {
    const TemporaryFolder folder;
    const std::string path = folder / "new/folder/explorer.toml";
    SettingsKeeper keeper(path, {});
    keeper.look_after();
    CHECK_FALSE(std::filesystem::exists(path));  // nothing changed
    Settings settings;
    settings.theme = "dark";
    keeper.keep(settings);
    keeper.look_after();
    settings.theme = "projector";
    keeper.keep(settings);
    keeper.look_after();  // too early
    for (int i = 0; i < 1000 && !std::filesystem::exists(path); ++i) ::usleep(5000);
    CHECK(read_settings(path).theme == "dark");
    keeper.finish();
    CHECK(read_settings(path).theme == "projector");
    CHECK(keeper.problem().empty());
}

TEST_CASE("settings that cannot be written are told once and cost nothing", "[view][settings]") {
    const TemporaryFolder folder;
    spill(folder / "whorl", "a file in the way");
    SettingsKeeper keeper(folder / "whorl/explorer.toml", {});
    Settings settings;
    settings.theme = "dark";
    keeper.keep(settings);
    keeper.finish();
    CHECK_THAT(keeper.problem(), ContainsSubstring("whorl"));
    CHECK(slurp(folder / "whorl") == "a file in the way");
}
