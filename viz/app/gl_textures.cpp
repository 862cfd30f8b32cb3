#include "viz/app/gl_textures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

std::vector<std::uint8_t> bytes_of(const plot::Cells& cells) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(4 * cells.colors.size());
    for (const plot::Color& color : cells.colors) {
        const double opacity = std::clamp(color.opacity, 0.0, 1.0);
        for (const std::uint8_t part : {color.red, color.green, color.blue}) bytes.push_back(part);
        bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * opacity)));
    }
    return bytes;
}

/// FNV-1a.
std::uint64_t hash_of(const std::vector<std::uint8_t>& bytes, std::uint64_t columns) {
    std::uint64_t hash = 0xCBF29CE484222325u ^ columns;
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3u;
    return hash;
}

GLuint made(const plot::Cells& cells, const std::vector<std::uint8_t>& bytes) {
    GLuint name = 0;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    for (const GLenum filter : {GL_TEXTURE_MIN_FILTER, GL_TEXTURE_MAG_FILTER})
        glTexParameteri(GL_TEXTURE_2D, filter, GL_NEAREST);
    for (const GLenum wrap : {GL_TEXTURE_WRAP_S, GL_TEXTURE_WRAP_T})
        glTexParameteri(GL_TEXTURE_2D, wrap, GL_CLAMP_TO_EDGE);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, static_cast<GLsizei>(cells.columns), static_cast<GLsizei>(cells.rows), 0,
                 GL_RGBA, GL_UNSIGNED_BYTE, bytes.data());
    return name;
}

}  // namespace

GlTextures::~GlTextures() {
    for (const auto& [hash, held] : held_) glDeleteTextures(1, &held.name);
}

ImTextureID GlTextures::texture(const plot::Cells& cells) {
    const std::vector<std::uint8_t> bytes = bytes_of(cells);
    Held& held = held_[hash_of(bytes, static_cast<std::uint64_t>(cells.columns))];
    if (held.name == 0) held.name = made(cells, bytes);
    held.shown = true;
    return texture_id(held.name);
}

void GlTextures::end_frame() {
    for (auto at = held_.begin(); at != held_.end();) {
        const bool keep = at->second.shown;
        if (!keep) glDeleteTextures(1, &at->second.name);
        at->second.shown = false;
        at = keep ? std::next(at) : held_.erase(at);
    }
}

}  // namespace whorl::view
