#include "viz/paint/save.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/paint/figure_csv.hpp"
#include "viz/paint/figure_json.hpp"
#include "viz/paint/figure_words.hpp"
#include "viz/paint/pdf.hpp"
#include "viz/paint/png.hpp"
#include "viz/paint/svg.hpp"
#include "viz/plot/place.hpp"

namespace whorl::plot {
namespace {

const std::vector<std::string>& endings() {
    static const std::vector<std::string> names = {".svg", ".png", ".pdf", ".json", ".csv", ".txt"};
    return names;
}

void check_range(const char* what, double value, double low, double high) {
    if (!(value >= low && value <= high))
        throw UserError(fmt::format("a figure's {} of {:g} is not between {:g} and {:g}", what, value, low, high));
}

Figure resized(Figure figure, const SaveOptions& options) {
    figure.width = options.width.value_or(figure.width);
    figure.height = options.height.value_or(figure.height);
    check_range("scale", options.scale, 1, 4);
    check_range("width", figure.width, 200, 4000);
    check_range("height", figure.height, 150, 4000);
    return figure;
}

std::string picture(const Drawing& drawing, FileFormat format, const SaveOptions& options) {
    if (format == FileFormat::png) return png_bytes(raster(drawing, options.scale));
    if (format == FileFormat::pdf) return pdf_bytes(drawing);
    return svg(drawing, {options.outlines, 1});
}

}  // namespace

FileFormat format_of(const std::string& path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto place = std::find(endings().begin(), endings().end(), ending);
    if (place == endings().end())
        throw UserError(fmt::format("{}: {} is no ending of figures{}", one_line(path),
                                    ending.empty() ? "no ending" : in_quotes(ending), suggestion(ending, endings())));
    return static_cast<FileFormat>(place - endings().begin());
}

std::string figure_file(const Figure& figure, const Theme& theme, FileFormat format, const SaveOptions& options) {
    if (format == FileFormat::json) return figure_json(figure);
    if (format == FileFormat::csv) return figure_csv(figure);
    if (format == FileFormat::txt) return figure_words(figure);
    return picture(place(resized(figure, options), theme).drawing, format, options);
}

void save_figure(const std::string& path, const Figure& figure, const Theme& theme, const SaveOptions& options) {
    const FileFormat format = format_of(path);
    AtomicFile file(path);  // before the work, as it may be refused
    file.write(figure_file(figure, theme, format, options));
    file.commit();
}

}  // namespace whorl::plot
