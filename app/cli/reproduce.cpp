// whorl reproduce: trains every row of a published table and prints ours beside the paper's.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/cli/progress.hpp"
#include "app/cli/reproduce_request.hpp"
#include "app/cli/tables.hpp"
#include "app/reproduce/protocol.hpp"
#include "app/run/interrupt.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "tasks/baseline.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kBaselineExamples = 16384;

/// The items whose keys are listed, all when none is. Throws UserError with the nearest key.
template <class Item>
std::vector<const Item*> chosen(const std::vector<Item>& items, const std::vector<std::string>& keys,
                                const char* flag) {
    std::vector<std::string> known;
    for (const Item& item : items) known.emplace_back(item.key);
    for (const std::string& key : keys)
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw UserError(fmt::format("{}: the table has no {}{}", flag, in_quotes(key), suggestion(key, known)));
    std::vector<const Item*> result;
    for (const Item& item : items)
        if (keys.empty() || std::find(keys.begin(), keys.end(), item.key) != keys.end()) result.push_back(&item);
    return result;
}

RunSetup cell_setup(const ReproduceRequest& request, const TableColumn& column, const TableRow& row) {
    std::vector<std::string> assignments = row.set;
    assignments.insert(assignments.end(), request.assignments.begin(), request.assignments.end());
    assignments.push_back("model.preset=" + preset_of(row, column.quick));
    assignments.push_back("name=" + row.key);
    return set_up(load_recipe(column.quick.recipe, assignments));
}

// False when interrupted; else the line has its result.
bool reproduce_line(TableLine& line, const std::string& label, const RunSetup& setup, std::int64_t test_size,
                    const std::string& folder, const Devices& devices, const SessionOptions& options) {
    const RunDirectory run = open_or_create(folder, setup);
    ProgressLine progress(label);
    const SessionResult result = train_run(setup, run, devices, hooks_for(progress), options);
    progress.finish();
    if (result.interrupted) return false;
    fill(line, run, setup, test_size);
    line.protocol =
        fmt::format("{}; d_model {}", protocol_text(setup.config, test_size), setup.config.model.config->d_model);
    const SizeSummary& read = line.summary->read();
    // The table comes when its last row is known; until then each row stands for itself.
    fmt::print("{}: median {:.1f} % (min {:.1f}, max {:.1f}), best {:.1f} %, passed {}/{}, {}\n", label,
               100 * read.median, 100 * read.min, 100 * read.max, 100 * read.best, read.passed_all,
               line.summary->replicas, duration_text(result.seconds));
    std::fflush(stdout);
    return true;
}

// False when interrupted: the lines so far are in `section`.
bool reproduce_column(const ReproduceRequest& request, const TableColumn& column, const std::vector<RunSetup>& setups,
                      const Devices& devices, const SessionOptions& options, TableSection& section) {
    const std::int64_t test_size = column.quick.test_size;
    const DataSource& data = *setups.front().data;
    section = section_of(column, test_size, {"row"});
    section.majority = scaled_accuracy(majority_baseline(data, test_size, kBaselineExamples), data.chance());
    for (std::size_t i = 0; i < request.rows.size(); ++i) {
        const TableRow& row = *request.rows[i];
        section.lines.push_back(line_of(request.table, column, row));
        const std::string path = fmt::format("{}/{}/{}", request.folder, column.key, row.key);
        if (!reproduce_line(section.lines.back(), fmt::format("{}, {}", column.label, row.label), setups[i], test_size,
                            path, devices, options))
            return false;
    }
    return true;
}

// --medium and --full are made of pieces; --quick is of one run a row, but where the table gives verdicts.
bool has_pieces(const Parsed& parsed, const PublishedTable& table) {
    return parsed.flag("full") || parsed.flag("medium") || table.protocol == TableProtocol::verdict;
}

void check_flags(const Parsed& parsed, const PublishedTable& table) {
    const int profiles =
        (parsed.flag("quick") ? 1 : 0) + (parsed.flag("medium") ? 1 : 0) + (parsed.flag("full") ? 1 : 0);
    if (profiles > 1) throw UserError("--quick, --medium and --full exclude each other");
    if (has_pieces(parsed, table)) return;
    for (const char* flag : {"width", "minutes"})
        if (parsed.has(flag))
            throw UserError(fmt::format("--{}: is for the pieces of --full and --medium; --quick has none", flag));
    for (const char* flag : {"status", "dry-run", "keep-checkpoints", "allow-other-build"})
        if (parsed.flag(flag))
            throw UserError(fmt::format("--{}: is for the pieces of --full and --medium; --quick has none", flag));
}

std::vector<std::int64_t> widths_of(const Parsed& parsed, const PublishedTable& table, Profile profile) {
    constexpr std::int64_t kMostWidth = 65536;
    std::string all;
    for (const std::string& text : parsed.all("width")) all += (all.empty() ? "" : ",") + text;
    if (!all.empty()) return number_list(all, "--width", 1, kMostWidth);
    const std::vector<std::int64_t>& widths = table.widths_at(profile);
    return parsed.flag("medium") ? std::vector<std::int64_t>{widths.back()} : widths;
}

// What the table has, without what is `absent` in the profile; an item that is asked for by name must be there.
template <class Item, class Absent>
std::vector<const Item*> present(const std::vector<Item>& all, const std::vector<std::string>& wanted, const char* flag,
                                 Profile profile, Absent absent) {
    std::vector<const Item*> items = chosen(all, wanted, flag);
    const auto first = std::find_if(items.begin(), items.end(), absent);
    if (!wanted.empty() && first != items.end())
        throw UserError(
            fmt::format("{}: {} is not in the {} profile", flag, in_quotes((*first)->key), name_of(profile)));
    items.erase(std::remove_if(items.begin(), items.end(), absent), items.end());
    return items;
}

std::vector<const TableColumn*> columns_of(const Parsed& parsed, const PublishedTable& table, Profile profile) {
    return present(table.columns, parsed.all("column"), "--column", profile,
                   [&](const TableColumn* column) { return !column->is_in(profile); });
}

// Those that one of the columns has.
std::vector<const TableRow*> rows_of(const Parsed& parsed, const PublishedTable& table,
                                     const std::vector<const TableColumn*>& columns, Profile profile) {
    return present(table.rows, parsed.all("row"), "--row", profile, [&](const TableRow* row) {
        return std::none_of(columns.begin(), columns.end(),
                            [&](const TableColumn* column) { return column->has(row->key, profile); });
    });
}

ReproduceRequest read_request(const Parsed& parsed, const PublishedTable& table) {
    check_flags(parsed, table);
    const Profile profile = parsed.flag("full") || parsed.flag("medium") ? Profile::full : Profile::quick;
    const std::vector<const TableColumn*> columns = columns_of(parsed, table, profile);
    return {table,
            columns,
            rows_of(parsed, table, columns, profile),
            widths_of(parsed, table, profile),
            profile,
            parsed.all("set"),
            parsed.has("out") ? parsed.text("out") : fmt::format("runs/reproduce-{}-{}", table.name, name_of(profile))};
}

Syntax reproduce_syntax() {
    Syntax syntax(
        "reproduce",
        "TABLE [--quick|--medium|--full] [--row NAME]… [--column NAME]… [--width N] [--minutes M] [--out DIR] [--set "
        "key=value]…",
        "Trains the rows of a published table and prints our numbers beside the paper's. What --out already holds is "
        "not\n"
        "trained again, so that an interrupted table goes on where it stopped. Tables: parity; state-tracking (parity, "
        "and\nmodular arithmetic without and with brackets); those that whorl claims judges, such as needle.\n\n"
        "--full is made of pieces, one for each row, column and width (d_model): every learning rate with one seed, "
        "then "
        "the\nbest two with two more. Of a table that claims rest on --quick is made of pieces, too: rates and ranges "
        "of step sizes\nwith three seeds each, then the best with twelve fresh ones, which alone are shown. A finished "
        "piece is DIR/cells/PIECE.json, with all that a table needs, and "
        "DIR/best/PIECE.safetensors,\nthe replica that is best on validation data. --medium is the first half of the "
        "pieces of one width. --from makes\none table of the pieces in several folders.\n\n"
        "--status exits with 0 when every piece that is asked for is done, else with 1:\n"
        "  until whorl reproduce state-tracking --full --status; do whorl reproduce state-tracking --full --minutes 8; "
        "done",
        {"whorl reproduce parity --quick", "whorl reproduce state-tracking --quick --row mamba3 --row mamba2",
         "whorl reproduce state-tracking --full --column parity --row mamba3 --width 64 --minutes 8",
         "whorl reproduce needle --quick --dry-run",
         "whorl reproduce state-tracking --from runs/a runs/b --out results"});
    syntax.positionals = {{"TABLE"}};
    add_set_option(syntax.options);
    add_training_devices(syntax.options);
    add_group_options(syntax.options);
    syntax.options.add_options()("quick", po::bool_switch(),
                                 "short sequences, minutes on two processor cores (the default)")(
        "medium", po::bool_switch(), "the full recipes, one width (the largest, or --width) and one seed a rate")(
        "full", po::bool_switch(), "the paper's lengths, two widths, more seeds: days on a processor")(
        "row", po::value<std::vector<std::string>>(), "only this row, repeatable: mamba3, mamba2, gdn, …")(
        "column", po::value<std::vector<std::string>>(), "only this column, repeatable: parity, arithmetic, brackets")(
        "width", po::value<std::vector<std::string>>(), "only pieces of this d_model (default: the table's)")(
        "minutes", po::value<double>(), "save and leave after so many minutes, with exit status 0")(
        "status", po::bool_switch(), "train nothing; say how far each piece is")(
        "dry-run", po::bool_switch(), "train nothing; what each piece would take on this device, and the sum")(
        "from", po::value<std::vector<std::string>>()->multitoken()->composing(),
        "train nothing; the table of the pieces in these folders")("keep-checkpoints", po::bool_switch(),
                                                                   "keep all replicas of finished pieces, too")(
        "allow-other-build", po::bool_switch(),
        "go on with pieces of another build or machine, though their bits may differ")(
        "out", po::value<std::string>(),
        "folder of the runs, and of table.md, table.json, table.csv (default runs/reproduce-TABLE-quick or -full)");
    return syntax;
}

int reproduce_rows(const ReproduceRequest& request, const Parsed& parsed) {
    const std::string& folder = request.folder;
    const SessionOptions options{group_request(parsed)};
    const OwnedDevices owned = make_devices(parsed);
    const Devices devices = owned.all();
    std::vector<std::vector<RunSetup>> setups;  // all errors before any training
    for (const TableColumn* column : request.columns) {
        setups.emplace_back();
        for (const TableRow* row : request.rows) {
            setups.back().push_back(cell_setup(request, *column, *row));
            check_devices(setups.back().back(), devices, options.group);
        }
    }
    ResultTable table = results_of(request.table);
    table.overview = request.columns.size() > 1;
    const InterruptGuard guard;
    for (std::size_t c = 0; c < request.columns.size(); ++c) {
        table.sections.emplace_back();
        if (!reproduce_column(request, *request.columns[c], setups[c], devices, options, table.sections.back())) {
            fmt::print(stderr, "stopped; go on with the same command and --out {}\n", folder);
            return 128 + InterruptGuard::signal();
        }
    }
    show_table(table, folder);
    return 0;
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
    const auto parsed = parse(reproduce_syntax(), arguments);
    if (!parsed) return 0;
    const PublishedTable& table = published_table(parsed->first("TABLE"));
    if (parsed->has("from")) return merge_pieces(table, *parsed);
    const ReproduceRequest request = read_request(*parsed, table);
    if (parsed->flag("dry-run")) return show_costs(request, *parsed);
    if (parsed->flag("status")) return show_pieces(request, *parsed);
    return has_pieces(*parsed, table) ? reproduce_pieces(request, *parsed) : reproduce_rows(request, *parsed);
}

}  // namespace whorl::cli
