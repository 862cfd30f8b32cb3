// A figure as a file: the name's ending says which.
//
//   .svg   letters as text, or as paths        .json   all that the figure holds
//   .png   pixels                              .csv    the numbers that it draws
//   .pdf   letters as paths                    .txt    what it says, in words
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::plot {

struct SaveOptions {
    double scale = 1;                     // of pictures, 1 … 4: pixels to each of the figure's
    std::optional<double> width, height;  // instead of the figure's own
    bool outlines = false;                // SVG's letters as paths
};

enum class FileFormat { svg, png, pdf, json, csv, txt };

/// By the ending, in small or capital letters. Throws UserError with those that there are.
FileFormat format_of(const std::string& path);

/// The file's bytes. Throws UserError for a scale or size out of range and as pdf_bytes, and as place().
std::string figure_file(const Figure& figure, const Theme& theme, FileFormat format, const SaveOptions& options = {});

/// Writes it, all or nothing. Throws as format_of, figure_file and AtomicFile.
void save_figure(const std::string& path, const Figure& figure, const Theme& theme, const SaveOptions& options = {});

}  // namespace whorl::plot
