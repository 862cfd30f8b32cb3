// What Dear ImGui 1.86 and later versions say differently: keys, mouse events, sizes of fonts, textures. All else is
// the same in both.
//
// 1.86 knows few keys by name and numbers the others as the platform does; here that is GLFW's numbering, also where
// there is no GLFW. From 1.87 on keys have names and events wait in a queue, one press or release a frame.
#pragma once

#include <imgui.h>

#include <cstdint>

namespace whorl::view {

/// Letters and digits are their capital's ASCII code.
enum class Key : int {
    space = 32,
    comma = 44,
    minus = 45,
    period = 46,
    slash = 47,
    digit_0 = 48,
    equal = 61,
    a = 65,
    z = 90,
    escape = 256,
    enter = 257,
    tab = 258,
    backspace = 259,
    insert = 260,
    remove = 261,
    right = 262,
    left = 263,
    down = 264,
    up = 265,
    page_up = 266,
    page_down = 267,
    home = 268,
    end = 269,
    f1 = 290,
    keypad_0 = 320,
    keypad_subtract = 333,
    keypad_add = 334,
    keypad_enter = 335,
};

/// 'A' … 'Z', '0' … '9'.
constexpr Key key_of(char letter) {
    return static_cast<Key>(letter);
}

struct NamedKey {
    Key key;
    ImGuiKey name;
};
inline constexpr NamedKey kNamedKeys[] = {
    {Key::space, ImGuiKey_Space},
    {Key::escape, ImGuiKey_Escape},
    {Key::enter, ImGuiKey_Enter},
    {Key::tab, ImGuiKey_Tab},
    {Key::backspace, ImGuiKey_Backspace},
    {Key::insert, ImGuiKey_Insert},
    {Key::remove, ImGuiKey_Delete},
    {Key::right, ImGuiKey_RightArrow},
    {Key::left, ImGuiKey_LeftArrow},
    {Key::down, ImGuiKey_DownArrow},
    {Key::up, ImGuiKey_UpArrow},
    {Key::page_up, ImGuiKey_PageUp},
    {Key::page_down, ImGuiKey_PageDown},
    {Key::home, ImGuiKey_Home},
    {Key::end, ImGuiKey_End},
};

#if IMGUI_VERSION_NUM < 18700

/// Once, for a window without a platform of its own.
inline void name_keys() {
    ImGuiIO& io = ImGui::GetIO();
    for (const NamedKey& named : kNamedKeys) io.KeyMap[named.name] = static_cast<int>(named.key);
    for (const auto& [name, letter] : {std::pair{ImGuiKey_A, 'A'},
                                       {ImGuiKey_C, 'C'},
                                       {ImGuiKey_V, 'V'},
                                       {ImGuiKey_X, 'X'},
                                       {ImGuiKey_Y, 'Y'},
                                       {ImGuiKey_Z, 'Z'}})
        io.KeyMap[name] = letter;
    io.KeyMap[ImGuiKey_KeyPadEnter] = static_cast<int>(Key::keypad_enter);
}
inline void send_key(Key key, bool down) {
    ImGui::GetIO().KeysDown[static_cast<int>(key)] = down;
}
inline void send_modifiers(bool control, bool shift, bool alt) {
    ImGuiIO& io = ImGui::GetIO();
    io.KeyCtrl = control, io.KeyShift = shift, io.KeyAlt = alt;
}
inline void send_mouse_position(float x, float y) {
    ImGui::GetIO().MousePos = {x, y};
}
inline void send_mouse_button(int button, bool down) {
    ImGui::GetIO().MouseDown[button] = down;
}
inline void send_wheel(float x, float y) {
    ImGui::GetIO().MouseWheelH += x, ImGui::GetIO().MouseWheel += y;
}
inline bool is_pressed(Key key, bool repeat = false) {
    return ImGui::IsKeyPressed(static_cast<int>(key), repeat);
}
inline bool is_down(Key key) {
    return ImGui::IsKeyDown(static_cast<int>(key));
}

#else

inline ImGuiKey name_of(Key key) {
    const int code = static_cast<int>(key);
    if (code >= 'A' && code <= 'Z') return static_cast<ImGuiKey>(ImGuiKey_A + (code - 'A'));
    if (code >= '0' && code <= '9') return static_cast<ImGuiKey>(ImGuiKey_0 + (code - '0'));
    for (const NamedKey& named : kNamedKeys)
        if (named.key == key) return named.name;
    switch (key) {
        case Key::comma:
            return ImGuiKey_Comma;
        case Key::minus:
            return ImGuiKey_Minus;
        case Key::period:
            return ImGuiKey_Period;
        case Key::slash:
            return ImGuiKey_Slash;
        case Key::equal:
            return ImGuiKey_Equal;
        case Key::f1:
            return ImGuiKey_F1;
        case Key::keypad_0:
            return ImGuiKey_Keypad0;
        case Key::keypad_subtract:
            return ImGuiKey_KeypadSubtract;
        case Key::keypad_add:
            return ImGuiKey_KeypadAdd;
        case Key::keypad_enter:
            return ImGuiKey_KeypadEnter;
        default:
            return ImGuiKey_None;
    }
}
inline void name_keys() {}
inline void send_key(Key key, bool down) {
    ImGui::GetIO().AddKeyEvent(name_of(key), down);
}
inline void send_modifiers(bool control, bool shift, bool alt) {
    ImGuiIO& io = ImGui::GetIO();
#if IMGUI_VERSION_NUM < 18900
    io.AddKeyEvent(ImGuiKey_ModCtrl, control);
    io.AddKeyEvent(ImGuiKey_ModShift, shift);
    io.AddKeyEvent(ImGuiKey_ModAlt, alt);
#else
    io.AddKeyEvent(ImGuiMod_Ctrl, control);
    io.AddKeyEvent(ImGuiMod_Shift, shift);
    io.AddKeyEvent(ImGuiMod_Alt, alt);
#endif
}
inline void send_mouse_position(float x, float y) {
    ImGui::GetIO().AddMousePosEvent(x, y);
}
inline void send_mouse_button(int button, bool down) {
    ImGui::GetIO().AddMouseButtonEvent(button, down);
}
inline void send_wheel(float x, float y) {
    ImGui::GetIO().AddMouseWheelEvent(x, y);
}
inline bool is_pressed(Key key, bool repeat = false) {
    return ImGui::IsKeyPressed(name_of(key), repeat);
}
inline bool is_down(Key key) {
    return ImGui::IsKeyDown(name_of(key));
}

#endif

inline void send_letter(unsigned letter) {
    ImGui::GetIO().AddInputCharacter(letter);
}

/// The height of a font's lines. From 1.90 on fonts have whole sizes; there the letters are drawn as densely as asked
/// for, and stand closer by that factor. Returns the size that the font has.
inline float set_line_height(ImFontConfig& config, float pixels) {
#if IMGUI_VERSION_NUM < 19000
    return config.SizePixels = pixels;
#else
    config.SizePixels = static_cast<float>(static_cast<int>(pixels));
    config.RasterizerDensity = pixels / config.SizePixels;
    return config.SizePixels;
#endif
}

/// A pointer up to 1.91.3, a number later.
inline ImTextureID texture_id(unsigned name) {
    return (ImTextureID)(std::intptr_t)name;  // NOLINT: the only cast that both kinds take
}

}  // namespace whorl::view
