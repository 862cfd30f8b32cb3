#include "app/sweep/sweep.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checksum.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRuns = 10000, kLongestName = 200;

/// The file as it is written.
struct SweepFile {
    std::string name = "sweep", recipe;
    std::optional<std::int64_t> size;
    double threshold = 0.9;
    Value set{Table{}}, axes{Table{}};
};

template <class V>
void describe(V& v, SweepFile& c) {
    v.field("name", c.name);
    v.require(names_a_folder(c.name), "name", kFolderNameRule);
    v.field("recipe", c.recipe, required());
    v.field("size", c.size, range(2, kLargestSize));
    v.field("threshold", c.threshold, range(0, 1));
    v.field("set", c.set);
    v.field("axes", c.axes);
}

// "section.key = value" and "key = value" become paths; what stands deeper belongs to the value, such as a grid.
std::vector<Assignment> assignments_of(const Value& table, const Place& place) {
    const Table* members = std::get_if<Table>(&table.data);
    if (members == nullptr) fail_at(place, table.line, std::string("expected a table, found ") + kind_name(table));
    std::vector<Assignment> result;
    for (const Member& member : *members) {
        const Table* section = std::get_if<Table>(&member.value.data);
        if (section == nullptr) {
            result.push_back({member.key, member.value});
            continue;
        }
        for (const Member& one : *section) result.push_back({member.key + "." + one.key, one.value});
    }
    return result;
}

std::string text_of(const Value& value) {
    const auto* text = std::get_if<std::string>(&value.data);
    return text ? *text : write_json(value);
}

// A value that is there twice would be two runs of the same bits.
void refuse_repeated(const Array& values, const Place& place) {
    std::set<std::string> seen;
    for (const Value& value : values)
        if (!seen.insert(write_json(value)).second)
            fail_at(place, value.line, in_quotes(text_of(value)) + " is there twice; give each value once");
}

SweepAxis axis_of(const Assignment& from, const Place& place) {
    const Array* values = std::get_if<Array>(&from.value.data);
    if (values == nullptr)
        fail_at(
            place.child(from.key), from.value.line,
            "expected the list of its values, such as [16, 64]; a deeper key stands in quotes: \"a.b.c\" = [16, 64]");
    if (values->empty())
        fail_at(place.child(from.key), from.value.line, "an axis of no values makes a sweep of no runs");
    refuse_repeated(*values, place.child(from.key));
    return {from.key, *values};
}

std::string last_name(const std::string& key) {
    return key.substr(key.rfind('.') + 1);
}

// At most `most` bytes, letters of several bytes whole.
std::string cut(const std::string& text, std::size_t most) {
    std::size_t end = std::min(text.size(), most);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

// A file name: anything unusual in ASCII becomes a dash.
std::string folder_name(const std::vector<SweepAxis>& axes, const std::vector<std::string>& values) {
    std::string name;
    for (std::size_t i = 0; i < axes.size(); ++i)
        name += (i > 0 ? "," : "") + last_name(axes[i].key) + "=" + cut(values[i], 60);
    for (char& c : name) {
        const bool usual = static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || std::string_view("=,._-+").find(c) != std::string_view::npos;
        if (!usual) c = '-';
    }
    return cut(name, kLongestName);
}

std::string combination_text(const Sweep& sweep, const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + sweep.axes[i].key + " = " + values[i];
    return text;
}

class Combinations {
public:
    Combinations(const Sweep& sweep, const std::vector<std::string>& more)
        : sweep_(sweep), more_(more), recipe_(load_recipe(recipe_path(sweep), {})) {}

    SweepRun run(const std::vector<std::size_t>& at) {
        SweepRun run;
        for (std::size_t i = 0; i < at.size(); ++i) run.values.push_back(text_of(sweep_.axes[i].values[at[i]]));
        run.folder = free_folder(run.values);
        try {
            run.setup = set_up(document(at, run.folder));
            check_test_size(run.setup);
            check_differs(run);
        } catch (const UserError& error) {
            // Values of the sweep are marked as those of --set are; people did not write --set here.
            std::string what = error.what();
            if (what.rfind("--set ", 0) == 0) what = what.substr(6);
            throw UserError(
                one_line(sweep_.source + ": the run with " + combination_text(sweep_, run.values) + ": " + what));
        }
        return run;
    }

private:
    Document document(const std::vector<std::size_t>& at, const std::string& name) const {
        Document document = recipe_;
        for (const Assignment& one : sweep_.set) apply_override(document, one.key, one.value);
        for (std::size_t i = 0; i < at.size(); ++i)
            apply_override(document, sweep_.axes[i].key, sweep_.axes[i].values[at[i]]);
        for (const std::string& assignment : more_) apply_override(document, assignment);
        apply_override(document, "name", Value{name});
        return document;
    }

    // Values that differ only in what a name leaves out, or beyond its length, are told apart by their checksum.
    std::string free_folder(const std::vector<std::string>& values) {
        std::string name = folder_name(sweep_.axes, values);
        if (folders_.insert(name).second) return name;
        const std::string whole = combination_text(sweep_, values);
        name += "-" + checksum(std::as_bytes(std::span(whole))).substr(0, 12);
        folders_.insert(name);
        return name;
    }

    // Two runs that differ in their names alone have the same bits.
    void check_differs(const SweepRun& run) {
        RunConfig config = run.setup.config;
        config.name.clear();
        const std::string here = combination_text(sweep_, run.values);
        const auto [other, fresh] = seen_.emplace(to_json(config), here);
        if (!fresh) throw UserError("is the run with " + other->second + " once more: nothing that trains differs");
    }

    void check_test_size(const RunSetup& setup) const {
        const auto& sizes = setup.config.test.sizes;
        if (sweep_.size && std::find(sizes.begin(), sizes.end(), *sweep_.size) == sizes.end())
            throw UserError("size: " + std::to_string(*sweep_.size) + " is not among its test.sizes");
    }

    const Sweep& sweep_;
    const std::vector<std::string>& more_;
    Document recipe_;
    std::set<std::string> folders_;
    std::map<std::string, std::string> seen_;  // resolved config → its values
};

}  // namespace

Sweep read_sweep(const Document& document) {
    SweepFile file;
    read_config(document, file);
    Sweep sweep{file.name, file.recipe, file.size, file.threshold, {}, {}, document.source};
    sweep.set = assignments_of(file.set, {&document.source, "set"});
    const Place axes{&document.source, "axes"};
    std::size_t runs = 1;
    for (const Assignment& one : assignments_of(file.axes, axes)) {
        sweep.axes.push_back(axis_of(one, axes));
        runs *= sweep.axes.back().values.size();
        if (runs > kMostRuns) fail_at(axes, file.axes.line, "make more than " + std::to_string(kMostRuns) + " runs");
    }
    if (sweep.axes.empty()) fail_at(axes, file.axes.line, "must name at least one key with its values");
    return sweep;
}

std::string recipe_path(const Sweep& sweep) {
    const fs::path beside = fs::path(sweep.source).parent_path() / sweep.recipe;
    std::error_code error;
    return fs::is_regular_file(beside, error) ? beside.string() : sweep.recipe;
}

std::vector<SweepRun> runs_of(const Sweep& sweep, const std::vector<std::string>& more) {
    Combinations combinations(sweep, more);
    std::vector<SweepRun> runs;
    std::vector<std::size_t> at(sweep.axes.size(), 0);
    while (true) {
        runs.push_back(combinations.run(at));
        std::size_t axis = at.size();
        while (axis > 0 && ++at[axis - 1] == sweep.axes[axis - 1].values.size()) at[--axis] = 0;
        if (axis == 0) return runs;
    }
}

SweepRecord record_of(const Sweep& sweep, const std::vector<SweepRun>& runs) {
    SweepRecord record{sweep.name, sweep.threshold, sweep.size, {}, {}};
    for (const SweepAxis& axis : sweep.axes) record.axes.push_back(axis.key);
    for (const SweepRun& run : runs) record.runs.push_back({run.folder, run.values});
    return record;
}

}  // namespace whorl
