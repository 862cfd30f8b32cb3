// Every file that tests/attacks/make_attacks.py wrote is refused, in one line that says what is wrong.
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/base/error.hpp"
#include "core/io/safetensors.hpp"
#include "core/io/toml_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/sample_config.hpp"

namespace {

namespace fs = std::filesystem;

const std::string kFolder = source_file("tests/attacks/");

struct Attack {
    std::string file;
    std::string fragment;
};

std::vector<Attack> attacks() {
    std::ifstream list(kFolder + "expected.txt");
    std::vector<Attack> all;
    for (std::string line; std::getline(list, line);)
        all.push_back({line.substr(0, line.find('\t')), line.substr(line.find('\t') + 1)});
    return all;
}

void read(const std::string& path) {
    if (fs::path(path).extension() == ".toml")
        whorl::read_config<sample::Recipe>(whorl::load_toml(path));
    else
        whorl::SafetensorsFile::open(path);
}

// The message, or nothing when the file was accepted. Other exceptions are a failure of the test.
std::optional<std::string> message_of(const std::string& path) {
    try {
        read(path);
    } catch (const whorl::UserError& error) {
        return error.what();
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("hostile files are refused in one line", "[io][attacks]") {
    REQUIRE(attacks().size() >= 40);
    for (const Attack& attack : attacks()) {
        INFO(attack.file);
        const auto message = message_of(kFolder + attack.file);
        REQUIRE(message.has_value());
        CHECK_THAT(*message, Catch::Matchers::ContainsSubstring(attack.fragment));
        CHECK_THAT(*message, Catch::Matchers::ContainsSubstring(attack.file + ":"));
        CHECK(message->find('\n') == std::string::npos);
        CHECK(message->size() < kFolder.size() + 400);
    }
}

TEST_CASE("the list of hostile files is complete", "[io][attacks]") {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
        const std::string extension = entry.path().extension().string();
        files += extension == ".toml" || extension == ".safetensors";
    }
    CHECK(files == attacks().size());
}
