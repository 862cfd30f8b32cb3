#include "viz/paint/png.hpp"

#include <new>

// The one place that compiles the library.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

namespace whorl::plot {
namespace {

void append(void* text, void* bytes, int size) {
    static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::vector<std::uint8_t> rgb(const Image& image) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(image.rgba.size() / 4 * 3);
    for (std::size_t i = 0; i < image.rgba.size(); i += 4)
        bytes.insert(bytes.end(), &image.rgba[i], &image.rgba[i] + 3);
    return bytes;
}

}  // namespace

std::string png_bytes(const Image& image) {
    std::string text;
    const std::vector<std::uint8_t> bytes = rgb(image);
    // Differences to the row above suit figures best, and trying all filters takes twice as long.
    stbi_write_force_png_filter = 2, stbi_write_png_compression_level = 4;
    if (stbi_write_png_to_func(append, &text, image.width, image.height, 3, bytes.data(), 3 * image.width) == 0)
        throw std::bad_alloc();
    return text;
}

}  // namespace whorl::plot
