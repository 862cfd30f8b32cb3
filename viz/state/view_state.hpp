// All that decides what is on the screen: every control is a field of it, a link is it as text, undo is a list of it.
//
//     whorl:1?text=0110&view=start&cursor=3
//
// Fields at their defaults are left out, values are percent-encoded UTF-8, and a field that this version does not know
// is named and passed over, so that links outlive versions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace whorl::viz {

struct ViewState {
    std::string view = "start";
    std::vector<std::string> models{};         // sources, as `whorl figure` takes them; empty: the hand-set three
    std::string text = "0110";                 // what they read, as their task writes it
    std::int64_t cursor = -1;                  // tokens that are shown as read; -1: all
    std::int64_t beat = 0;                     // of the token at the cursor: 1 kept, 2 added, 3 read; 0: all of them
    std::int64_t moment = -1;                  // of a training that can be scrubbed, its step; -1: the newest
    std::string beside{};                      // the state shown beside this one, as key_of writes it; "": none
    bool difference = false;                   // instead of both: this one's lines less the other's
    std::string predicted{};                   // the choices made so far, a letter a model: "b-a"; -: none
    bool shown = false;                        // the answer to the prediction
    std::string x{}, y{}, colour{};            // of an overview: keys that place and colour its dots; "": what suits
    std::string filter{}, sort{};              // which dots, as "accuracy>=90 and seed=0"; and in what order
    std::map<std::string, double> settings{};  // of controls (controls.hpp) that are not at their beginning
    std::string lesson{};                      // name or file; "": none
    std::int64_t step = 1;                     // of the lesson
    std::string answer{};                      // to the step's question, a letter: "b"
    std::string theme = "light";
    double scale = 1;  // of everything, on top of the screen's own

    bool operator==(const ViewState&) const = default;
};

/// The longest link that is written or read, in bytes.
inline constexpr std::size_t kLongestLink = 1024;

/// Throws UserError where it would be longer than kLongestLink.
std::string link_of(const ViewState& state);

/// The same at any length: two states are equal where it is.
std::string key_of(const ViewState& state);

struct ReadLink {
    ViewState state;
    std::vector<std::string> notes;  // fields that were passed over
};
/// Throws UserError, one line, for what is no link of this program or version, and for a field with no meaning.
ReadLink read_link(const std::string& link);
/// The same for what key_of wrote, at any length.
ReadLink read_key(const std::string& key);

}  // namespace whorl::viz
