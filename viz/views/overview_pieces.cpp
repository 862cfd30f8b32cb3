#include "viz/views/overview_pieces.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/io/atomic_file.hpp"
#include "core/model/registry.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostPieceBytes = 1 << 22;
constexpr int kPiecesBelow = 4;  // folders below

/// What an overview shows of the record that app/reproduce writes; the rest of it is passed over.
struct StoredReplica {
    double learning_rate = 0;
    std::int64_t seed = 0, steps = 0;
    std::string stopped;
    std::vector<double> validation, test;
    std::vector<std::optional<double>> validation_loss;
};

template <class T>
void read(const Value& table, const std::string& source, const char* key, T& target) {
    const Value* value = find(table, key);
    if (value == nullptr) throw UserError(one_line(source + ": " + key + ": is missing"));
    ConfigReader::read(*value, Place{&source, key}, target);
}

StoredReplica read_replica(const Value& stored, const std::string& source, std::size_t validated, std::size_t tested) {
    StoredReplica replica;
    read(stored, source, "learning_rate", replica.learning_rate);
    read(stored, source, "seed", replica.seed);
    read(stored, source, "steps", replica.steps);
    read(stored, source, "stopped", replica.stopped);
    read(stored, source, "validation", replica.validation);
    read(stored, source, "validation_loss", replica.validation_loss);
    read(stored, source, "test", replica.test);
    if (replica.validation.size() != validated || replica.validation_loss.size() != validated ||
        replica.test.size() != tested)
        throw UserError(one_line(source + ": replicas: a replica needs one number for each size"));
    return replica;
}

struct StoredPiece {
    std::string column, row;
    std::int64_t width = 0, test_size = 0;
    double chance = 0;
    std::vector<std::int64_t> validation_sizes, test_sizes;
    std::vector<StoredReplica> replicas;
};

Document read_file(const std::string& file) {
    return parse_json(read_text_file(file, kMostPieceBytes), file);
}

bool is_piece(const Document& document) {
    const Value* kind = find(document.root, "kind");
    const auto* text = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->data);
    return text != nullptr && *text == "table piece";
}

StoredPiece read_piece(const std::string& file) {
    const Document document = read_file(file);
    StoredPiece piece;
    read(document.root, file, "column", piece.column);
    read(document.root, file, "row", piece.row);
    read(document.root, file, "width", piece.width);
    read(document.root, file, "test_size", piece.test_size);
    read(document.root, file, "chance", piece.chance);
    read(document.root, file, "validation_sizes", piece.validation_sizes);
    read(document.root, file, "test_sizes", piece.test_sizes);
    const Value* replicas = find(document.root, "replicas");
    const auto* all = replicas == nullptr ? nullptr : std::get_if<Array>(&replicas->data);
    if (all == nullptr || all->empty()) throw UserError(one_line(file + ": replicas: is missing"));
    for (const Value& one : *all)
        piece.replicas.push_back(read_replica(one, file, piece.validation_sizes.size(), piece.test_sizes.size()));
    return piece;
}

/// Of the preset that the row is named after.
std::map<std::string, plot::Role> role_of_row(const std::string& row) {
    const ModelPreset* longest = nullptr;
    for (const ModelPreset& preset : model_presets())
        if (row.compare(0, preset.name.size(), preset.name) == 0 &&
            (longest == nullptr || preset.name.size() > longest->name.size()))
            longest = &preset;
    if (longest == nullptr) return {};
    return {{row, role_of(longest->make(PresetSize{}))}};
}

std::size_t best_in(const StoredPiece& piece) {
    const std::size_t size = ranking_size(piece.validation_sizes);
    std::vector<Merit> merits;
    for (const StoredReplica& one : piece.replicas)
        merits.push_back(
            {one.validation[size], one.validation_loss[size].value_or(std::numeric_limits<double>::infinity())});
    return best_of(merits);
}

/// OUT/best/NAME.safetensors beside OUT/cells/NAME.json.
std::string weights_of(const std::string& file) {
    const fs::path path = file;
    const fs::path best = path.parent_path().parent_path() / "best" / (path.stem().string() + ".safetensors");
    std::error_code error;
    return fs::is_regular_file(best, error) ? best.string() : "";
}

}  // namespace

std::vector<std::string> piece_files(const std::string& path) {
    std::vector<std::string> files, pieces;
    std::error_code error;
    if (fs::is_regular_file(path, error)) files = {path};
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
        if (entry.depth() >= kPiecesBelow) entry.disable_recursion_pending();
        if (entry->path().extension() == ".json" && entry->is_regular_file(error))
            files.push_back(entry->path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
        if (fs::path(file).extension() != ".json") continue;
        try {
            if (is_piece(read_file(file))) pieces.push_back(file);
        } catch (const UserError&) {
            continue;  // JSON of another kind, or none
        }
    }
    return pieces;
}

std::vector<FoundReplica> replicas_of_piece(const std::string& file, double pass) {
    const StoredPiece piece = read_piece(file);
    const std::size_t best = best_in(piece);
    const std::string name = fs::path(file).stem().string();
    std::vector<FoundReplica> found;
    for (std::size_t r = 0; r < piece.replicas.size(); ++r) {
        const StoredReplica& one = piece.replicas[r];
        FoundReplica replica{file, name + "@" + std::to_string(r)};
        if (r == best) replica.opens = weights_of(file);
        replica.put({"row", "", "", false, role_of_row(piece.row)}, piece.row);
        replica.put("column", piece.column);
        replica.put("model.d_model", static_cast<double>(piece.width));
        replica.put("learning_rate", one.learning_rate);
        replica.put("seed", static_cast<double>(one.seed));
        replica.put("run", name);
        put_accuracies(replica, piece.test_sizes, one.test, piece.chance, piece.test_size, pass);
        const auto& loss = one.validation_loss[ranking_size(piece.validation_sizes)];
        replica.put({"validation_loss", "validation loss", "", true, {}}, loss ? Known(*loss) : Known());
        replica.put({"steps", "", "", true, {}}, static_cast<double>(one.steps));
        replica.put({"stopped", "", "", true, {}}, one.stopped);
        found.push_back(std::move(replica));
    }
    return found;
}

}  // namespace whorl::viz
