#include "viz/plot/letters.hpp"

#include <cstddef>
#include <utility>

#include "viz/plot/font.hpp"

namespace whorl::plot {

namespace {

/// Reads the marks; one letter at a time.
class MarkupReader {
public:
    explicit MarkupReader(const std::string& text) : codes_(letters_of(text)) {}

    std::vector<Letter> letters(bool bold) {
        Letter now;
        now.bold = bold;
        while (at_ < codes_.size()) step(now);
        return std::move(found_);
    }

private:
    bool next_are(char32_t a, char32_t b) const {
        return at_ + 1 < codes_.size() && codes_[at_] == a && codes_[at_ + 1] == b;
    }

    void step(Letter& now) {
        if (next_are('*', '*')) {
            now.bold = !now.bold;
            at_ += 2;
        } else if (next_are('_', '{') || next_are('^', '{')) {
            now.height = codes_[at_] == '_' ? Height::below : Height::above;
            at_ += 2;
        } else if (codes_[at_] == '}' && now.height != Height::line) {
            now.height = Height::line;
            ++at_;
        } else if (codes_[at_] == kBar) {
            if (!found_.empty()) found_.back().bar = true;
            ++at_;
        } else if (codes_[at_] == kNoMark) {
            ++at_;
        } else {
            now.code = codes_[at_++];
            found_.push_back(now);
        }
    }

    std::vector<char32_t> codes_;
    std::vector<Letter> found_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<Letter> read_letters(const std::string& text, bool bold) {
    return MarkupReader(text).letters(bold);
}

void append_utf8(char32_t code, std::string& to) {
    const auto byte = [&](char32_t bits) { to.push_back(static_cast<char>(static_cast<unsigned char>(bits))); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
        byte(0xC0 | (code >> 6));
    } else {
        if (code < 0x10000) {
            byte(0xE0 | (code >> 12));
        } else {
            byte(0xF0 | (code >> 18));
            byte(0x80 | ((code >> 12) & 0x3F));
        }
        byte(0x80 | ((code >> 6) & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
}

}  // namespace whorl::plot
