// OpenGL 3.3 core and the few steps that both kinds of window share.
#pragma once

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>

#include <string>

#include "viz/paint/raster.hpp"

namespace whorl::view {

/// Of the framebuffer that is bound, rows from the top.
plot::Image read_pixels(int width, int height);
void clear_frame(int width, int height, const plot::Color& ground);
std::string gl_renderer();

}  // namespace whorl::view
