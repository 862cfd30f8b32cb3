#include "viz/lessons/scene.hpp"

#include "core/base/error.hpp"

namespace whorl::viz {

Scene scene_of(Desk& desk, const ViewState& state) {
    Scene scene;
    scene.state = state;
    scene.answered = !state.answer.empty();
    try {
        scene.read = desk.text(state);
        if (!desk_view(state.view).live) scene.figure = &desk.figure(state);
    } catch (const UserError&) {
        // What keeps it away is said where the figure is drawn.
    }
    return scene;
}

}  // namespace whorl::viz
