#include "viz/plot/text_runs.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "viz/plot/letters.hpp"

namespace whorl::plot {

namespace {

bool alike(const Letter& a, const Letter& b) {
    return a.bold == b.bold && a.height == b.height;
}

Face face_of(const Letter& letter) {
    return letter.bold ? Face::bold : Face::regular;
}
double share_of_size(const Letter& letter) {
    return letter.height == Height::line ? 1 : 0.72;
}

/// In ems of the line's type.
double advance(const Letter& letter) {
    return share_of_size(letter) * static_cast<double>(glyph(face_of(letter), letter.code).advance);
}

/// Downwards from the line's baseline, in ems.
double drop(const Letter& letter) {
    return letter.height == Height::line ? 0 : letter.height == Height::below ? 0.2 : -0.36;
}

using TextLine = std::vector<Letter>;

double width_of(const TextLine& line) {
    double width = 0;
    for (const Letter& letter : line) width += advance(letter);
    return width;
}

void trim(TextLine& line) {
    while (!line.empty() && line.back().code == ' ') line.pop_back();
}

/// Breaks at the last space that fits, or before the letter that does not.
class Breaker {
public:
    explicit Breaker(double width) : width_(width) {}

    std::vector<TextLine> lines(const std::vector<Letter>& letters) {
        for (const Letter& letter : letters) add(letter);
        close(line_);
        return std::move(lines_);
    }

private:
    void add(const Letter& letter) {
        if (letter.code == '\n') {
            close(line_);
            line_.clear(), length_ = 0;
            return;
        }
        if (letter.code != ' ' && !line_.empty() && length_ + advance(letter) > width_) break_line();
        line_.push_back(letter);
        length_ += advance(letter);
    }

    void break_line() {
        auto space = std::find_if(line_.rbegin(), line_.rend(), [](const Letter& l) { return l.code == ' '; });
        const auto from = space == line_.rend() ? line_.end() : space.base();
        const TextLine rest(from, line_.end());
        line_.erase(from, line_.end());
        close(line_);
        line_ = rest;
        length_ = width_of(line_);
    }

    void close(TextLine line) {
        trim(line);
        lines_.push_back(std::move(line));
    }

    double width_, length_ = 0;
    TextLine line_;
    std::vector<TextLine> lines_;
};

bool tall(char32_t code) {
    const bool capital = (code >= 'A' && code <= 'Z') || (code >= 0x391 && code <= 0x3A9);
    return capital || (code >= '0' && code <= '9') ||
           std::u32string_view(U"bdfhkltβδζθλξφψ").find(code) != std::u32string_view::npos;
}

Path bar_over(const Letter& letter, Point at, double size, const Color& color) {
    const FontHeights& heights = font_heights(face_of(letter));
    const double em = size * share_of_size(letter), wide = advance(letter) * size;
    const double y = at.y - em * ((tall(letter.code) ? heights.capital : heights.small) + 0.12);
    return {{{at.x + 0.12 * wide, y}, {at.x + 0.88 * wide, y}}, {color, (letter.bold ? 0.11 : 0.075) * em}};
}

void set_line(const TextLine& line, Point at, const TextStyle& style, TextBlock& block) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        const Letter& letter = line[i];
        const Point place{at.x, at.y + drop(letter) * style.size};
        if (i == 0 || !alike(letter, line[i - 1]))
            block.runs.push_back({place, "", face_of(letter), style.size * share_of_size(letter), style.color});
        append_utf8(letter.code, block.runs.back().text);
        if (letter.bar) block.bars.push_back(bar_over(letter, place, style.size, style.color));
        at.x += advance(letter) * style.size;
    }
}

double indent(Anchor anchor, double room) {
    return anchor == Anchor::left ? 0 : anchor == Anchor::right ? room : room / 2;
}

}  // namespace

double line_height(double size) {
    return 1.3 * size;
}

TextBlock lay_out(const std::string& text, const TextStyle& style, double width, Anchor anchor) {
    TextBlock block;
    if (text.empty()) return block;
    const std::vector<TextLine> lines =
        Breaker(width / style.size + 1e-9).lines(read_letters(text, style.face == Face::bold));
    for (const TextLine& line : lines) block.width = std::max(block.width, width_of(line) * style.size);
    for (const TextLine& line : lines) {
        // The middle between baseline and capitals is that of the line.
        const double baseline = block.height + line_height(style.size) / 2 + 0.36 * style.size;
        set_line(line, {indent(anchor, block.width - width_of(line) * style.size), baseline}, style, block);
        block.height += line_height(style.size);
    }
    block.lines = static_cast<int>(lines.size());
    return block;
}

void put(const TextBlock& block, Point at, std::vector<Shape2d>& to) {
    for (Run run : block.runs) {
        run.at = {run.at.x + at.x, run.at.y + at.y};
        to.emplace_back(std::move(run));
    }
    for (Path bar : block.bars) {
        for (Point& point : bar.points) point = {point.x + at.x, point.y + at.y};
        to.emplace_back(std::move(bar));
    }
}

std::string literal(const std::string& text) {
    const std::string apart = "\u200b";
    std::string result;
    for (const char letter : text) {
        const bool mark = letter == '*' || letter == '_' || letter == '^' || letter == '{' || letter == '}';
        result += mark ? apart + letter + apart : std::string(1, letter);
    }
    return result;
}

std::string plain_text(const std::string& text) {
    std::string plain;
    Height before = Height::line;
    for (const Letter& letter : read_letters(text, false)) {
        if (letter.height != before && letter.height != Height::line)
            plain += letter.height == Height::below ? '_' : '^';
        before = letter.height;
        append_utf8(letter.code, plain);
        if (letter.bar) append_utf8(kBar, plain);
    }
    return plain;
}

}  // namespace whorl::plot
