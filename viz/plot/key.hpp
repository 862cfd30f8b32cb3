// The key above a panel's frame: a sample and a name for marks that have no end to write it at (points, stems, bars).
#pragma once

#include <string>
#include <vector>

#include "viz/plot/stage.hpp"

namespace whorl::plot {

struct KeyEntry {
    const Mark* mark = nullptr;
    TextBlock name;
    Point at;  // upper left corner, from that of the key
};

struct Key {
    std::vector<KeyEntry> entries;
    double width = 0, height = 0;
};

/// The labelled marks of which `in_key` is true, in rows of at most that width.
Key key_of(const std::vector<const Mark*>& marks, const Theme& theme, double width);

void draw_key(const Key& key, Point at, Stage& stage);

}  // namespace whorl::plot
