// `whorl figure NAME [MODEL|RUN|TABLE…] --out FILE`: a picture of what a model, a run or a table shows; the numbers
// behind it; or what it says, in words.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/cli/figure_views.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/paint/figure_words.hpp"
#include "viz/paint/save.hpp"
#include "viz/plot/text_runs.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::cli {
namespace {

constexpr double kSmallest = 200, kLargest = 4000;

/// Options that every figure takes.
const std::vector<std::string> kCommon = {"list", "describe", "out", "theme", "width", "height", "scale", "outlines"};

void add_text_options(po::options_description& options) {
    options.add_options()("text", po::value<std::string>(),
                          "what the model reads, as its task writes it, such as 0110")(
        "tokens", po::value<std::string>(), "the same as numbers, or a file with one sequence")(
        "size", po::value<std::int64_t>(), "instead: an example of the task, of this size")(
        "seed", po::value<std::int64_t>()->default_value(0), "of the example")(
        "index", po::value<std::int64_t>()->default_value(0), "which example of that seed and size")(
        "task", po::value<std::string>(), "the task of the text (default: the model's)")(
        "replica", po::value<std::string>()->default_value(""), "of a population: best, or a number")(
        "layer", po::value<std::int64_t>(), "which layer to look at (default: the one that keeps the answer)")(
        "head", po::value<std::int64_t>(), "which of its heads (the same)")(
        "pair", po::value<std::int64_t>(), "which of its pairs of state channels (the same)")(
        "trained", po::value<std::int64_t>(), "the longest size in training (default: the run's)")(
        "further", po::value<std::vector<std::string>>()->composing(),
        "TOKEN=DEGREES: turn the kept pair so much further at each such token, and answer with that");
}

void add_lab_options(po::options_description& options) {
    options.add_options()("step", real_value(0.8), "Δ")("decay", real_value(0.35), "-Re A")(
        "rotation", real_value(2), "Im A")("lambda", real_value(0.5), "λ of the exponential trapezoid")(
        "a-moves", real_value(0), "how far the decay moves, as a share of it")(
        "held", po::bool_switch(), "input as layers take it: all weight on the step's end")(
        "rule", po::value<std::string>()->default_value("bilinear"), "which of the six rules, or all")(
        "cells", po::value<std::int64_t>()->default_value(200), "of the map, each way")(
        "between", po::value<std::string>()->default_value("held"), "held or straight: the input between tokens");
}

void add_result_options(po::options_description& options) {
    options.add_options()("lengths", po::value<std::string>(), "of texts with needles, as in 32,64,128")(
        "depths", po::value<std::string>(), "of needles, percent")(
        "count", po::value<std::int64_t>(), "examples a cell, or an accuracy")("column", po::value<std::string>(),
                                                                               "of a table: which task")(
        "x", po::value<std::string>(), "of the overview: the key across, such as learning_rate")(
        "y", po::value<std::string>(), "the key up (default: accuracy)")("colour", po::value<std::string>(),
                                                                         "the key of colours and shapes")(
        "filter", po::value<std::string>(), "which replicas, as in 'accuracy>=90 and seed=0'")(
        "sort", po::value<std::string>(), "the key that orders lists and names; -KEY: falling")(
        "set", po::value<std::vector<std::string>>()->composing(),
        "key=value: changes the recipe that is trained, the task of an example, or a control of the sandbox");
}

Syntax syntax() {
    Syntax s("figure", "NAME [MODEL|RUN|TABLE…] [--out FILE]… [options] | --list",
             "Draws a figure, or without --out says in words what it shows. FILE ends in .svg (real text), .png, .pdf "
             "(needs rsvg-convert), .csv (the numbers that are "
             "drawn), .json (the whole figure) or .txt (what it says, in words); --out may be given several times. A "
             "MODEL is a checkpoint, a run, or a model that ships with the program ('whorl models --weights "
             "constructed').",
             {"whorl figure --list", "whorl figure dials --out dials.svg",
              "whorl figure dials parity.safetensors --text 0110 --theme dark --out dials.png",
              "whorl figure error --out error.svg --out error.csv", "whorl figure map --rule bilinear",
              "whorl figure ledger runs/parity --replica best --size 160 --out ledger.svg"});
    s.options.add_options()("list", po::bool_switch(), "all figures, one line each")(
        "describe", po::bool_switch(), "print what the figure says, in words, besides writing it")(
        "out", po::value<std::vector<std::string>>()->composing(), "a file to write; its ending says as what")(
        "theme", po::value<std::string>()->default_value("light"), "light, dark or projector")(
        "width", po::value<double>(), "in pixels at scale 1 (default: the figure's own)")(
        "height", po::value<double>(), "the same")("scale", real_value(2), "pixels of a .png to each of the figure's")(
        "outlines", po::bool_switch(), "letters of an .svg as paths instead of text");
    add_text_options(s.options);
    add_lab_options(s.options);
    add_result_options(s.options);
    s.positionals = {{"NAME", 0, 1}, {"MODEL|RUN|TABLE", 0, -1}};
    return s;
}

void list_figures() {
    for (const FigureView& view : figure_views()) fmt::print("{:<11} {:<25} {}\n", view.name, view.sources, view.about);
}

/// An option of another figure would be passed over in silence.
void check_options(const Parsed& parsed, const po::options_description& options, const FigureView& view) {
    const auto takes = [](const FigureView& one, const std::string& name) {
        return std::find(one.options.begin(), one.options.end(), name) != one.options.end();
    };
    for (const auto& option : options.options()) {
        const std::string& name = option->long_name();
        const bool switched = name == "held" ? parsed.flag("held") : parsed.has(name);
        if (!switched || name == "help" || takes(view, name) ||
            std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end())
            continue;
        std::string owners;
        for (const FigureView& other : figure_views())
            if (takes(other, name)) owners += (owners.empty() ? "" : ", ") + std::string(other.name);
        throw UserError(fmt::format("whorl figure {}: --{} belongs to {}", view.name, name, owners));
    }
}

plot::SaveOptions save_options(const Parsed& parsed) {
    const auto within = [](const char* flag, double value, double least, double most) {
        if (!(value >= least && value <= most))
            throw UserError(fmt::format("--{} {}: expected {}..{}", flag, value, least, most));
        return value;
    };
    plot::SaveOptions options{within("scale", parsed.real("scale"), 1, 4), {}, {}, parsed.flag("outlines")};
    if (parsed.has("width")) options.width = within("width", parsed.real("width"), kSmallest, kLargest);
    if (parsed.has("height")) options.height = within("height", parsed.real("height"), kSmallest, kLargest);
    return options;
}

/// The command as one could type it again, without what only says where to and how large; a long text is cut short.
std::string command_of(const Arguments& arguments) {
    constexpr std::size_t kLongest = 48;
    std::string command = "whorl figure";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string word = arguments[i].substr(0, arguments[i].find('='));
        if (word == "--describe" || word == "--outlines") continue;
        if (word == "--out" || word == "--theme" || word == "--scale" || word == "--width" || word == "--height") {
            i += word == arguments[i] ? 1 : 0;
            continue;
        }
        const std::string shown =
            arguments[i].size() > kLongest ? arguments[i].substr(0, kLongest) + "…" : arguments[i];
        const bool plain = shown.find_first_of(" '\"$&|<>*?") == std::string::npos && !shown.empty();
        command += " " + (plain ? shown : "'" + shown + "'");
    }
    return one_line(command);
}

std::vector<std::string> outputs_of(const Parsed& parsed, const std::vector<std::string>& sources) {
    const std::vector<std::string> outs = parsed.all("out");
    std::vector<std::string> read;
    for (const std::string& source : sources) {
        const auto files = files_of_model(source);
        read.insert(read.end(), files.begin(), files.end());
    }
    for (const std::string& out : outs) {
        plot::format_of(out);
        const auto folder = std::filesystem::absolute(out).parent_path();
        if (!std::filesystem::is_directory(folder))
            throw UserError(one_line(fmt::format("--out {}: there is no folder {}", out, folder.string())));
        refuse_own_inputs(out, {out}, read);
    }
    return outs;
}

}  // namespace

int run_figure(const Arguments& arguments) {
    const Syntax own = syntax();
    const auto parsed = parse(own, arguments);
    if (!parsed) return 0;
    if (parsed->flag("list")) {
        list_figures();
        return 0;
    }
    if (parsed->first("NAME").empty())
        throw UserError("whorl figure: NAME is missing; 'whorl figure --list' shows them");
    const FigureView& view = figure_view(parsed->first("NAME"));
    check_options(*parsed, own.options, view);
    const plot::Theme& theme = plot::theme(parsed->text("theme"));
    const std::vector<std::string> sources = parsed->all("MODEL|RUN|TABLE"), outs = outputs_of(*parsed, sources);
    const plot::SaveOptions options = save_options(*parsed);
    plot::Figure figure = view.make(*parsed, sources);
    figure.source = command_of(arguments);
    for (const std::string& out : outs) {
        plot::save_figure(out, figure, theme, options);
        std::fputs(fmt::format("{}: {}\n", one_line(out), plot::plain_text(figure.claim)).c_str(), stdout);
    }
    if (parsed->flag("describe") || outs.empty()) std::fputs(plot::figure_words(figure).c_str(), stdout);
    return 0;
}

}  // namespace whorl::cli
