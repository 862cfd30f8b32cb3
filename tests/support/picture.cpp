#include "tests/support/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>

using whorl::plot::Image;

Image read_png(const std::string& bytes) {
    int width = 0, height = 0, channels = 0;
    const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
    stbi_uc* pixels = stbi_load_from_memory(data, static_cast<int>(bytes.size()), &width, &height, &channels, 4);
    if (pixels == nullptr) throw std::runtime_error("not a PNG file");
    const std::size_t size = 4 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    Image image{width, height, {pixels, pixels + size}};
    stbi_image_free(pixels);
    return image;
}

namespace {

/// Where ink begins, from the darkest pixel of each column (or row): the first that has any is inked by its share of
/// the next one's.
double beginning(const std::vector<double>& profile) {
    for (std::size_t i = 0; i < profile.size(); ++i) {
        if (profile[i] <= 1e-3) continue;
        const double full = i + 1 < profile.size() ? std::max(profile[i], profile[i + 1]) : profile[i];
        return static_cast<double>(i) + 1 - profile[i] / full;
    }
    return static_cast<double>(profile.size());
}

double end(std::vector<double> profile) {
    std::reverse(profile.begin(), profile.end());
    return static_cast<double>(profile.size()) - beginning(profile);
}

}  // namespace

Ink measure_ink(const Image& image) {
    Ink ink;
    std::vector<double> columns(static_cast<std::size_t>(image.width)), rows(static_cast<std::size_t>(image.height));
    for (std::size_t y = 0, i = 0; y < rows.size(); ++y)
        for (std::size_t x = 0; x < columns.size(); ++x, i += 4) {
            const double dark = 1 - image.rgba[i] / 255.0;
            columns[x] = std::max(columns[x], dark), rows[y] = std::max(rows[y], dark), ink.area += dark;
            ink.x += dark * (static_cast<double>(x) + 0.5), ink.y += dark * (static_cast<double>(y) + 0.5);
        }
    ink.x /= ink.area, ink.y /= ink.area;
    ink.left = beginning(columns), ink.right = end(columns), ink.top = beginning(rows), ink.bottom = end(rows);
    return ink;
}

Difference difference(const Image& a, const Image& b) {
    if (a.width != b.width || a.height != b.height) throw std::runtime_error("pictures of different sizes");
    Difference result;
    for (std::size_t i = 0; i < a.rgba.size(); ++i) {
        const int gap = int{a.rgba[i]} - int{b.rgba[i]};
        result.mean += std::abs(gap), result.bias += gap, result.beyond += std::abs(gap) > 64 ? 1 : 0;
    }
    const double values = static_cast<double>(a.rgba.size()) / 4 * 3;  // opacity never differs
    result.mean /= values, result.bias /= values, result.beyond /= values;
    return result;
}
