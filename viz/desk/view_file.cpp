#include "viz/desk/view_file.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>

#include "app/run/model_task.hpp"
#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/io/checksum.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/paint/base64.hpp"

namespace whorl::viz {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
const std::string kModel = "model:";

struct PackedModel {
    std::string name, about, checksum, file;
};
template <class V>
void describe(V& v, PackedModel& m) {
    v.field("name", m.name);
    v.field("about", m.about);
    v.field("checksum", m.checksum);
    v.field("file", m.file);
}

struct ViewFile {
    std::int64_t whorl_view = kVersion;
    std::string state;
    std::vector<PackedModel> model;
};
template <class V>
void describe(V& v, ViewFile& f) {
    v.field("whorl_view", f.whorl_view, at_least(1).at_most(kVersion));
    v.field("state", f.state);
    v.field("model", f.model);
}

bool is_named(const std::string& source) {
    const std::vector<std::string> names = named_models();
    return std::find(names.begin(), names.end(), source) != names.end();
}

/// Calls `change` for each model of the state and of the one beside it.
template <class Change>
void change_models(ViewState& state, const Change& change) {
    for (std::string& source : state.models) change(state, source);
    if (state.beside.empty()) return;
    ViewState beside = read_key(state.beside).state;
    for (std::string& source : beside.models) change(beside, source);
    state.beside = key_of(beside);
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + "\"";
}

std::string checksum_of(const std::string& bytes) {
    return checksum({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

std::string bytes_of(const ShownModel& model) {
    const std::filesystem::path folder = unpacked_folder();
    make_folders(folder.string());
    const std::string path = (folder / "packed.safetensors").string();
    const Exhibit& exhibit = model.exhibit;
    save_model(path, exhibit.config, exhibit.slice, exhibit.task ? stored_task(*exhibit.task) : "");
    std::string bytes = read_text_file(path, kMostBytes);
    std::filesystem::remove(path);
    return bytes;
}

/// A file's name without folder and ending, of plain characters alone: it may come from anywhere.
std::string plain_name(const std::string& source) {
    const std::filesystem::path path(source);
    std::string name = (path.extension() == ".safetensors" ? path.stem() : path.filename()).string();
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '-';
    return name.empty() ? "model" : name.substr(0, 64);
}

std::string unpack(const PackedModel& model, const std::string& source) {
    const auto bytes = plot::bytes_of_base64(model.file);
    if (!bytes) throw UserError(one_line(source + ": model: is damaged"));
    const std::string sum = checksum_of(*bytes);
    if (sum != model.checksum) throw UserError(one_line(source + ": model: is damaged, its checksum is another"));
    const std::filesystem::path folder = std::filesystem::path(unpacked_folder()) / sum.substr(0, 16);
    make_folders(folder.string());
    const std::string path = (folder / (plain_name(model.name) + ".safetensors")).string();
    if (!std::filesystem::exists(path)) write_file(path, *bytes);
    return path;
}

}  // namespace

std::string unpacked_folder() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::filesystem::path base = cache != nullptr && *cache != '\0' ? std::filesystem::path(cache)
                                       : home != nullptr && *home != '\0' ? std::filesystem::path(home) / ".cache"
                                                                          : std::filesystem::temp_directory_path();
    return (base / "whorl" / "views").string();
}

void save_view(const std::string& path, const ViewState& state, Desk& desk) {
    ViewState packed = state;
    if (shows_stored_training(state) || (state.view == "overview" && !state.models.empty()))
        throw UserError("--save: this view shows folders of runs, which no file of a view holds; a link names them");
    std::map<std::string, std::string> names;  // of models that are in the file already
    std::string models;
    change_models(packed, [&](const ViewState& of, std::string& source) {
        if (is_named(source)) return;
        const ShownModel& shown = desk.shown(source, of);
        const std::string which = source + "@" + std::to_string(of.moment);
        if (names.count(which) == 0) {
            names[which] = kModel + std::to_string(names.size() + 1);
            const std::string bytes = bytes_of(shown);
            models += "\n[[model]]\nname = " + quoted(plain_name(source)) + "\nabout = " + quoted(shown.exhibit.about) +
                      "\nchecksum = " + quoted(checksum_of(bytes)) + "\nfile = \"" + plot::base64(bytes) + "\"\n";
        }
        source = names[which];
    });
    write_file(path,
               "whorl_view = " + std::to_string(kVersion) + "\nstate = " + quoted(key_of(packed)) + "\n" + models);
}

OpenedView open_view(const std::string& path) {
    const ViewFile file = read_config<ViewFile>(parse_toml(read_text_file(path, kMostBytes), path));
    ReadLink link = read_key(file.state);
    change_models(link.state, [&](const ViewState&, std::string& source) {
        if (source.rfind(kModel, 0) != 0) return;
        const auto which = static_cast<std::size_t>(std::atoll(source.c_str() + kModel.size()));
        if (which < 1 || which > file.model.size())
            throw UserError(one_line(path + ": state: " + in_quotes(source) + " is not in the file"));
        source = unpack(file.model[which - 1], path);
    });
    return {std::move(link.state), std::move(link.notes)};
}

}  // namespace whorl::viz
