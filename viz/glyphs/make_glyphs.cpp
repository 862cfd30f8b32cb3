// Runs while Whorl is built: reads the letters of figures from two TrueType fonts and writes them as C++
// (glyph_data.hpp says in which form), so that the program needs neither font files nor a font library.
//
// Usage: whorl_make_glyphs OUTPUT.cpp REGULAR.ttf BOLD.ttf
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb_truetype.h>

namespace {

struct Range {
    int first, last;
};

// Latin, Greek, punctuation, raised and lowered digits, arrows and operators, shapes, ticks and crosses, "not there".
constexpr Range kRanges[] = {{0x0020, 0x007E}, {0x00A0, 0x017F}, {0x0370, 0x03FF}, {0x2010, 0x203A}, {0x2070, 0x209C},
                             {0x2190, 0x22FF}, {0x25A0, 0x25FF}, {0x2713, 0x2717}, {0xFFFD, 0xFFFD}};

struct Contour {
    std::vector<int> numbers;  // 2x + on, y
    int first_x = 0, first_y = 0;

    void add(int x, int y, bool on) {
        numbers.push_back(2 * x + (on ? 1 : 0));
        numbers.push_back(y);
    }
    void begin(int x, int y) {
        first_x = x, first_y = y;
        add(x, y, true);
    }
    // The library ends each contour where it began; here that is understood.
    void close() {
        const std::size_t end = numbers.size();
        if (end > 2 && numbers[end - 2] == 2 * first_x + 1 && numbers[end - 1] == first_y) numbers.resize(end - 2);
    }
};

std::vector<Contour> contours_of(const stbtt_fontinfo& font, int glyph) {
    stbtt_vertex* vertices = nullptr;
    const int count = stbtt_GetGlyphShape(&font, glyph, &vertices);
    std::vector<Contour> contours;
    for (int i = 0; i < count; ++i) {
        const stbtt_vertex& v = vertices[i];
        if (v.type == STBTT_vcubic) throw std::runtime_error("cubic curves: not a TrueType font");
        if (v.type == STBTT_vmove) {
            if (!contours.empty()) contours.back().close();
            contours.emplace_back().begin(v.x, v.y);
            continue;
        }
        if (v.type == STBTT_vcurve) contours.back().add(v.cx, v.cy, false);
        contours.back().add(v.x, v.y, true);
    }
    if (!contours.empty()) contours.back().close();
    stbtt_FreeShape(&font, vertices);
    return contours;
}

/// One line: the glyph's numbers.
void write_glyph(std::ostream& out, const stbtt_fontinfo& font, int letter, int glyph) {
    int advance = 0, bearing = 0;
    stbtt_GetGlyphHMetrics(&font, glyph, &advance, &bearing);
    const std::vector<Contour> contours = contours_of(font, glyph);
    out << static_cast<std::int16_t>(letter) << ',' << advance << ',' << contours.size() << ',';
    for (const Contour& contour : contours) {
        out << contour.numbers.size() / 2 << ',';
        for (const int number : contour.numbers) out << number << ',';
    }
    out << '\n';
}

int top_of(const stbtt_fontinfo& font, char letter) {
    int left = 0, bottom = 0, right = 0, top = 0;
    stbtt_GetCodepointBox(&font, letter, &left, &bottom, &right, &top);
    return top;
}

std::vector<unsigned char> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (bytes.size() < 12) throw std::runtime_error(path + ": cannot be read");
    return bytes;
}

/// Writes the array `name` and returns the StoredFace that goes with it.
std::string write_face(std::ostream& out, const std::string& path, const std::string& name) {
    const std::vector<unsigned char> bytes = read_file(path);
    stbtt_fontinfo font;
    if (stbtt_InitFont(&font, bytes.data(), stbtt_GetFontOffsetForIndex(bytes.data(), 0)) == 0)
        throw std::runtime_error(path + ": not a TrueType font");
    out << "static const std::int16_t " << name << "[] = {\n";
    for (const Range& range : kRanges)
        for (int letter = range.first; letter <= range.last; ++letter)
            if (const int glyph = stbtt_FindGlyphIndex(&font, letter)) write_glyph(out, font, letter, glyph);
    out << "};\n";
    int ascent = 0, descent = 0, gap = 0;
    stbtt_GetFontVMetrics(&font, &ascent, &descent, &gap);
    const double em = 1 / static_cast<double>(stbtt_ScaleForMappingEmToPixels(&font, 1));
    std::ostringstream face;
    face << "{" << name << ", sizeof " << name << " / sizeof " << name << "[0], " << static_cast<int>(em + 0.5) << ", "
         << ascent << ", " << descent << ", " << top_of(font, 'H') << ", " << top_of(font, 'x') << "}";
    return face.str();
}

void write_all(const std::string& output, const std::string& regular, const std::string& bold) {
    std::ofstream out(output);
    out << "// Made by viz/glyphs/make_glyphs.cpp from DejaVuSans.ttf and DejaVuSans-Bold.ttf.\n"
           "#include \"viz/glyphs/glyph_data.hpp\"\n\nnamespace whorl::plot {\n\n";
    const std::string first = write_face(out, regular, "regular"), second = write_face(out, bold, "bold");
    out << "\nconst StoredFace kStoredFaces[2] = {" << first << ", " << second << "};\n\n}  // namespace whorl::plot\n";
    out.close();
    if (!out) throw std::runtime_error(output + ": cannot be written");
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: whorl_make_glyphs OUTPUT.cpp REGULAR.ttf BOLD.ttf\n");
        return 2;
    }
    try {
        write_all(arguments[1], arguments[2], arguments[3]);
    } catch (const std::exception& error) {
        std::remove(arguments[1]);  // nothing half-written, which the build would take for done
        std::fprintf(stderr, "whorl_make_glyphs: %s\n", error.what());
        return 1;
    }
}
