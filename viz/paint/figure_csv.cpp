#include "viz/paint/figure_csv.hpp"

#include <fmt/format.h>

#include <iterator>

#include "viz/paint/figure_names.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::plot {
namespace {

std::string field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string number(double value) {
    return fmt::format("{}", value);
}

/// The lines of one mark.
class Lines {
public:
    Lines(std::string& text, const std::string& panel, const Mark& mark) : text_(text) {
        const Style* style = style_of(mark);
        begin_ = fmt::format("{},{},{},{}", field(panel), field(id_of(mark)), mark_kind(mark),
                             style != nullptr ? name_of(style->role) : "");
        end_ = field(plain_text(text_of(mark)));
    }

    void add(const Line& m) { points("point", m.points); }
    void add(const Region& m) { points("corner", m.outline); }
    void add(const Points& m) {
        for (std::size_t i = 0; i < m.points.size(); ++i) {
            if (!m.names.empty()) end_ = field(plain_text(m.names[i]));
            point("point", i, m.points[i], m.sizes.empty() ? "" : number(m.sizes[i]));
        }
    }
    void add(const Stems& m) {
        for (std::size_t i = 0; i < m.points.size(); ++i) point("point", i, m.points[i], number(m.base));
    }
    void add(const Arrow& m) {
        point("from", 0, m.from);
        point("to", 0, m.to);
    }
    void add(const Arc& m) {
        point("center", 0, m.center);
        value("radius", 0, m.radius);
        value("begin", 0, m.begin);
        value("turn", 0, m.turn);
    }
    void add(const Band& m) {
        along("low", 0, m.along, m.low);
        along("high", 0, m.along, m.high);
    }
    void add(const Rule& m) { along("at", 0, m.along, m.at); }
    void add(const Bars& m) {
        value("thickness", 0, m.thickness);
        for (std::size_t i = 0; i < m.bars.size(); ++i) {
            const Bar& bar = m.bars[i];
            const bool upright = m.along == Direction::y;
            point("from", i, upright ? Point{bar.at, bar.from} : Point{bar.from, bar.at});
            point("to", i, upright ? Point{bar.at, bar.to} : Point{bar.to, bar.at});
        }
    }
    void add(const Grid& m) {
        for (std::size_t i = 0; i < m.x_edges.size(); ++i) along("x_edge", i, Direction::x, m.x_edges[i]);
        for (std::size_t i = 0; i < m.y_edges.size(); ++i) along("y_edge", i, Direction::y, m.y_edges[i]);
        for (std::size_t i = 0; i < m.values.size(); ++i) value("cell", i, m.values[i]);
    }
    void add(const Text& m) { point("at", 0, m.at); }
    void add(const Handle& m) { point("at", 0, m.at); }

private:
    void line(const char* part, std::size_t index, const std::string& x, const std::string& y,
              const std::string& value) {
        fmt::format_to(std::back_inserter(text_), "{},{},{},{},{},{},{}\n", begin_, part, index, x, y, value, end_);
    }
    void point(const char* part, std::size_t index, Point at, const std::string& value = "") {
        line(part, index, number(at.x), number(at.y), value);
    }
    void points(const char* part, const std::vector<Point>& points) {
        for (std::size_t i = 0; i < points.size(); ++i) point(part, i, points[i]);
    }
    void value(const char* part, std::size_t index, double value) { line(part, index, "", "", number(value)); }
    void along(const char* part, std::size_t index, Direction direction, double at) {
        direction == Direction::x ? line(part, index, number(at), "", "") : line(part, index, "", number(at), "");
    }

    std::string& text_;
    std::string begin_, end_;
};

}  // namespace

std::string figure_csv(const Figure& figure) {
    std::string text = "panel,mark,kind,role,part,index,x,y,value,text\n";
    // What made it, as a line like the others: not every reader of CSV knows comments.
    if (!figure.source.empty()) text += ",,source,,,,,,," + field(plain_text(figure.source)) + "\n";
    for (const Panel& panel : figure.panels)
        for (const Mark& mark : panel.marks) {
            Lines lines(text, panel.id, mark);
            std::visit([&](const auto& m) { lines.add(m); }, mark);
        }
    return text;
}

}  // namespace whorl::plot
