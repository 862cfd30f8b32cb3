#include "tasks/text.hpp"

#include <cmath>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "tasks/registry.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/task_support.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace tasktest;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string text_of(const Example& example) {
    std::string text;
    for (const std::int32_t token : example.tokens) text += static_cast<char>(token - 1);
    for (std::size_t t = 0; t + 1 < example.tokens.size(); ++t) REQUIRE(example.targets[t] == example.tokens[t + 1]);
    return text + static_cast<char>(example.targets.back() - 1);
}

}  // namespace

TEST_CASE("text: examples are pieces of their own split of the file", "[tasks][text]") {
    const TemporaryFolder folder;
    std::string all;  // every pair of bytes says where it is
    for (int i = 0; i < 1000; ++i) all += static_cast<char>(i / 250), all += static_cast<char>(i % 250);
    spill(folder / "bytes", all);
    const auto data = make_data_source(find_task("text", {"file=" + (folder / "bytes"), "validation=0.1", "test=0.2"}));
    struct Part {
        Split split;
        std::size_t begin, end;
    };
    for (const Part& part : {Part{Split::train, 0, 1400}, {Split::validation, 1400, 1600}, {Split::test, 1600, 2000}}) {
        const std::string own = all.substr(part.begin, part.end - part.begin);
        std::set<std::size_t> places;
        for (std::uint64_t i = 0; i < 4000; ++i) {
            const std::string text = text_of(make(*data, key(i, 2, 40, part.split)));
            REQUIRE(text.size() == 40);
            places.insert(own.find(text));
            REQUIRE(own.find(text) != std::string::npos);
        }
        CHECK(*places.begin() == 0);
        CHECK(*places.rbegin() == own.size() - 40);
        // A longer one than its split goes round.
        const std::string round = text_of(make(*data, key(3, 2, 3000, part.split)));
        CHECK((own + own).find(round.substr(0, own.size())) != std::string::npos);
        CHECK(round.substr(own.size()) == round.substr(0, 3000 - own.size()));
    }
    CHECK(data->in_bits());
    CHECK_FALSE(data->ideal_loss(std::vector<std::int32_t>{1}, std::vector<std::int32_t>{2}));
}

TEST_CASE("text: the file's checksum is kept and another text is refused", "[tasks][text]") {
    const TemporaryFolder folder;
    const std::string file = folder / "file", named = "file=" + file;
    const auto message = [&](const std::vector<std::string>& set) {
        return message_of<UserError>([&] { find_task("text", set); });
    };
    CHECK_THAT(message({named}), ContainsSubstring("--set file: " + file));
    spill(file, std::string(1000, 'a'));
    const std::string checksum = std::get<ByteText>(find_task("text", {named})).checksum;
    CHECK(checksum.size() == 32);
    CHECK(std::get<ByteText>(find_task("text", {named, "checksum=" + checksum})).file == file);
    spill(file, std::string(1000, 'b'));
    CHECK_THAT(message({named, "checksum=" + checksum}), ContainsSubstring("another text than the one that was named"));
    spill(file, "short");
    CHECK_THAT(message({named}), ContainsSubstring("has 5 bytes: a split would have fewer than two"));
    CHECK_THAT(message({"checksum=" + checksum}), ContainsSubstring("name the file"));
    CHECK_THAT(message({"validation=0.5", "test=0.5"}), ContainsSubstring("leaves nothing to train on"));
}

TEST_CASE("text: the stand-in's brackets match and have 1.875 bits a byte", "[tasks][text]") {
    const ByteText task;
    const auto data = make_data_source(task);
    const TextView view = task.view();
    std::string open;
    const std::map<char, char> closing = {{'(', ')'}, {'[', ']'}, {'{', '}'}, {'<', '>'}};
    double bits = 0;
    std::map<char, std::int64_t> kinds;
    const std::int64_t all = view.begin[2] + view.count[2];
    REQUIRE(all == 1 << 22);
    for (std::int64_t i = 0; i < all; ++i) {
        const char byte = static_cast<char>(view.bytes[i]);
        bits += open.empty() ? 2 : open.size() == 8 ? 0 : closing.count(byte) > 0 ? 3 : 1;
        if (closing.count(byte) > 0) {
            ++kinds[byte];
            open += closing.at(byte);
            continue;
        }
        REQUIRE(!open.empty());
        REQUIRE(byte == open.back());
        open.pop_back();
    }
    CHECK(bits / static_cast<double>(all) == Approx(1.875).margin(0.005));
    for (const auto& [byte, count] : kinds) CHECK(plausible(count, 0.25, all / 2));
    CHECK(kinds.size() == 4);
}
