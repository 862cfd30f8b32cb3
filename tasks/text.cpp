#include "tasks/text.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checksum.hpp"

namespace whorl {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;
constexpr std::size_t kStandIn = std::size_t{1} << 22;
constexpr std::size_t kDeepest = 8;

Bytes brackets() {
    Random random(0, Purpose::stand_in_text, 0, 0);
    Bytes text;
    std::string open;  // what closes the brackets that are open
    while (text.size() < kStandIn) {
        const std::uint32_t word = random.bits(), kind = (word >> 1) & 3U;
        const bool opens = open.empty() || (open.size() < kDeepest && (word & 1U) == 0);
        text.push_back(static_cast<std::uint8_t>(opens ? "([{<"[kind] : open.back()));
        opens ? open.push_back(")]}>"[kind]) : open.pop_back();
    }
    return text;
}

const Bytes& stand_in() {
    static const Bytes text = brackets();
    return text;
}

TextView split(const Bytes& bytes, double validation, double test) {
    const auto share = [&](double part) { return static_cast<std::int64_t>(part * static_cast<double>(bytes.size())); };
    const auto all = static_cast<std::int64_t>(bytes.size());
    const std::int64_t tested = share(test), validated = share(validation), trained = all - tested - validated;
    return {bytes.data(), {0, trained, trained + validated}, {trained, validated, tested}};
}

}  // namespace

void ByteText::open(const Value& value, const Place& place) {
    if (file.empty()) return;
    const auto fail = [&](const char* key, const std::string& what) {
        const Value* found = find(value, key);
        fail_at(place.child(key), found ? found->line : value.line, what);
    };
    try {
        const std::string all = read_text_file(file, kMostBytes);
        bytes = std::make_shared<const Bytes>(all.begin(), all.end());
    } catch (const UserError& error) {
        fail("file", error.what());
    }
    const std::string found = whorl::checksum(std::as_bytes(std::span(*bytes)));
    if (!checksum.empty() && checksum != found)
        fail("checksum", file + " is another text than the one that was named: its checksum is " + found);
    checksum = found;
    for (const std::int64_t count : view().count)
        if (count < 2)
            fail("file", fmt::format("{} has {} bytes: a split would have fewer than two", file, bytes->size()));
}

TextView ByteText::view() const {
    return split(bytes ? *bytes : stand_in(), validation, test);
}

std::string ByteText::token_text(std::int32_t token) const {
    if (token < 0 || token >= vocabulary()) return "?";
    if (token < kFirst) return "PAD";
    const auto byte = static_cast<unsigned char>(token - kFirst);
    if (byte == ' ') return "space";
    if (byte == '\n') return "\\n";
    if (byte == '?') return "\\?";  // a lone one is no token
    return byte > ' ' && byte < 0x7F ? std::string(1, static_cast<char>(byte)) : fmt::format("x{:02x}", byte);
}

std::string ByteText::example_text(const Example& example) const {
    std::string text;
    for (const std::int32_t token : example.tokens) text += static_cast<char>(token - kFirst);
    text += static_cast<char>(example.targets.back() - kFirst);
    return one_line(text);
}

const char* ByteText::about() {
    return "The bytes of a file: what is the next one? file = \"PATH\" names it, and its checksum is kept with every "
           "result. Its last share `test` is the test split, the share `validation` before it the validation split, "
           "the rest is trained on; an example is a piece from anywhere in its split, of the largest size that is "
           "asked for. Without a file the text is a stand-in: nested brackets, 1.875 bits a byte for a reader who "
           "knows what is open. Results are bits a byte and perplexity.";
}

}  // namespace whorl
