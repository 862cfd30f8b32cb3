// Grids of colours as OpenGL textures, kept while they are shown.
#pragma once

#include <cstdint>
#include <map>

#include "viz/app/gl.hpp"
#include "viz/app/paint_imgui.hpp"

namespace whorl::view {

class GlTextures : public CellTextures {
public:
    GlTextures() = default;
    ~GlTextures() override;
    GlTextures(const GlTextures&) = delete;
    GlTextures& operator=(const GlTextures&) = delete;

    ImTextureID texture(const plot::Cells& cells) override;
    /// After a frame has been drawn: forgets what it did not show.
    void end_frame();

private:
    struct Held {
        GLuint name = 0;
        bool shown = true;
    };
    std::map<std::uint64_t, Held> held_;  // by a hash of the colours
};

}  // namespace whorl::view
