#include "app/cli/model_description.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "core/config/model_config_io.hpp"

namespace whorl::cli {
namespace {

std::string shape_text(const ParameterInfo& p) {
    std::string text;
    for (const std::int64_t extent : p.shape) text += (text.empty() ? "" : "×") + std::to_string(extent);
    return text;
}

const char* update_text(const ParameterInfo& p) {
    return !p.trainable ? "frozen" : p.decay ? "decayed" : "";
}

void print_description(const Description& d) {
    fmt::print("{}: {}\n\n{}\n", d.name, d.about, to_toml(d.config));
    fmt::print("{:<52} {:>14} {:>10}\n", "parameter", "shape", "count");
    for (const ParameterInfo& p : d.layout.parameters())
        fmt::print("{:<52} {:>14} {:>10}  {}\n", p.name, shape_text(p), p.count, update_text(p));
    fmt::print("{:<52} {:>14} {:>10}\n", "all", "", d.layout.count());
}

Value json_of(const Description& d) {
    Array parameters;
    for (const ParameterInfo& p : d.layout.parameters()) {
        Array shape;
        for (const std::int64_t extent : p.shape) shape.push_back({extent});
        parameters.push_back({Table{{"name", {p.name}},
                                    {"shape", {std::move(shape)}},
                                    {"count", {p.count}},
                                    {"decay", {p.decay}},
                                    {"trainable", {p.trainable}}}});
    }
    return {Table{{"name", {d.name}},
                  {"description", {d.about}},
                  {"config", to_value(d.config)},
                  {"count", {d.layout.count()}},
                  {"parameters", {std::move(parameters)}}}};
}

}  // namespace

void show(const Description& description, bool json) {
    if (json)
        std::puts(write_json(json_of(description), 2).c_str());
    else
        print_description(description);
}

}  // namespace whorl::cli
