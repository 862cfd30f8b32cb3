#include "viz/app/gl.hpp"

#include <algorithm>

namespace whorl::view {

plot::Image read_pixels(int width, int height) {
    plot::Image image{width, height, {}};
    const std::size_t row = 4 * static_cast<std::size_t>(width);
    image.rgba.resize(row * static_cast<std::size_t>(height));
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, image.rgba.data());
    for (std::size_t top = 0, bottom = static_cast<std::size_t>(height) - 1; top < bottom; ++top, --bottom)
        std::swap_ranges(&image.rgba[top * row], &image.rgba[top * row] + row, &image.rgba[bottom * row]);
    for (std::size_t i = 3; i < image.rgba.size(); i += 4) image.rgba[i] = 255;
    return image;
}

void clear_frame(int width, int height, const plot::Color& ground) {
    glViewport(0, 0, width, height);
    glClearColor(static_cast<float>(ground.red) / 255, static_cast<float>(ground.green) / 255,
                 static_cast<float>(ground.blue) / 255, 1);
    glClear(GL_COLOR_BUFFER_BIT);
}

std::string gl_renderer() {
    const GLubyte* name = glGetString(GL_RENDERER);
    return name == nullptr ? "" : reinterpret_cast<const char*>(name);
}

}  // namespace whorl::view
