// A view in a file of its own, to hand on: the link, and within it the models that others do not have.
//
//     whorl_view = 1
//     state = "whorl:1?view=ledger&models=model:1"
//     [[model]]                       # model:1
//     name = "parity-3"
//     about = "runs/parity, replica 3"
//     checksum = "…"
//     file = "…"                      # a .safetensors file in base64
//
// Models that ship with the program are named only. What a file brings is unpacked where caches are kept, in a
// folder named by the checksum of its bytes.
#pragma once

#include <string>
#include <vector>

#include "viz/desk/desk.hpp"

namespace whorl::viz {

inline constexpr const char* kViewFileEnding = ".whorlview";

/// `state` and the models that it shows. Throws UserError as Desk::shown, and where nothing can be written.
void save_view(const std::string& path, const ViewState& state, Desk& desk);

struct OpenedView {
    ViewState state;
    std::vector<std::string> notes;  // fields that were passed over
};
/// Throws UserError for what is no such file, for one of a newer version, and for one that is damaged.
OpenedView open_view(const std::string& path);

/// Where models that came in files are kept: $XDG_CACHE_HOME/whorl/views, or ~/.cache/whorl/views.
std::string unpacked_folder();

}  // namespace whorl::viz
