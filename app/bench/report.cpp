#include "app/bench/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace whorl {
namespace {

std::string duration(double ms) {
    return ms < 1 ? fmt::format("{:.2f} µs", 1e3 * ms) : fmt::format("{:.3f} ms", ms);
}
std::string rate(double value, const char* unit, double share) {
    if (value <= 0) return {};
    return fmt::format("{:.1f} {}{}", value, unit, share > 0 ? fmt::format(" {:5.1f} %", 100 * share) : "");
}

std::int64_t size_of(const BenchRow& row, const std::string& axis) {
    const Value* value = find(row.sizes, axis);
    const auto* number = value ? std::get_if<std::int64_t>(&value->data) : nullptr;
    return number ? *number : 0;
}

/// Rows of one name together, names in order of appearance.
std::vector<const BenchRow*> by_name(const std::vector<BenchRow>& rows) {
    std::vector<const BenchRow*> sorted;
    for (const BenchRow& first : rows) {
        if (std::any_of(sorted.begin(), sorted.end(), [&](const BenchRow* r) { return r->name == first.name; }))
            continue;
        for (const BenchRow& row : rows)
            if (row.name == first.name) sorted.push_back(&row);
    }
    return sorted;
}

void print_row(const BenchRow& row, const BenchRow* first, const std::string& axis, std::size_t width) {
    fmt::print("{:<{}}", row.name, width);
    if (!axis.empty()) fmt::print(" {:>8}", size_of(row, axis));
    fmt::print(" {:>12} {:>12} {:>12}", duration(row.ms), duration(row.ms_fastest), duration(row.ms_slowest));
    fmt::print(" {:>13.0f} {:>24} {:>21}", row.tokens_per_second, rate(row.gflops, "GFLOP/s", row.share_of_matrix),
               rate(row.gbytes, "GB/s", row.share_of_copy));
    if (!axis.empty()) fmt::print(" {:>7.2f} x", row.tokens_per_second / first->tokens_per_second);
    if (row.graph_nodes > 0) fmt::print("  {} nodes", row.graph_nodes);
    if (row.memory_bytes > 0) fmt::print("  {:.2f} MiB", static_cast<double>(row.memory_bytes) / 1048576);
    fmt::print("\n");
}

void print_limits(const MachineLimits& limits) {
    std::string text;
    const auto add = [&](const char* name, double value, const char* unit) {
        if (value > 0) text += fmt::format("{}{} {:.1f} {}", text.empty() ? "" : ", ", name, value, unit);
    };
    add("float32", limits.float32_gflops, "GFLOP/s");
    add("TF32", limits.tf32_gflops, "GFLOP/s");
    add("bf16", limits.bf16_gflops, "GFLOP/s");
    add("copy", limits.copy_gbytes, "GB/s");
    fmt::print("limits measured now: {}\n", text);
}

/// The most that this arithmetic reaches; 0 when unknown.
double matrix_limit(const BenchReport& report) {
    return report.arithmetic.rfind("bf16", 0) == 0 ? report.limits.bf16_gflops
           : report.arithmetic == "tf32"           ? report.limits.tf32_gflops
                                                   : report.limits.float32_gflops;
}

}  // namespace

BenchRow make_row(const std::string& name, const BenchSizes& sizes, const RecordedTiming& timing,
                  const BenchWork& work) {
    BenchRow row;
    row.name = name;
    row.sizes = to_value(sizes);
    row.ms = 1e3 * timing.call.median;
    row.ms_fastest = 1e3 * timing.call.fastest;
    row.ms_slowest = 1e3 * timing.call.slowest;
    row.tokens_per_second = work.tokens / timing.call.median;
    row.gflops = 1e-9 * work.flops / timing.call.median;
    row.gbytes = 1e-9 * work.bytes / timing.call.median;
    row.graph_nodes = timing.nodes;
    return row;
}

void add_row(BenchReport& report, BenchRow row) {
    const double matrix = matrix_limit(report), copy = report.limits.copy_gbytes;
    row.share_of_matrix = matrix > 0 ? row.gflops / matrix : 0;
    row.share_of_copy = copy > 0 ? row.gbytes / copy : 0;
    report.rows.push_back(std::move(row));
}

void print_report(const BenchReport& report, const std::string& axis) {
    fmt::print("{}, {}; ", report.device, report.arithmetic);
    print_limits(report.limits);
    if (!report.rows.empty()) {
        const std::vector<const BenchRow*> rows = by_name(report.rows);
        std::size_t width = 4;
        for (const BenchRow* row : rows) width = std::max(width, row->name.size());
        fmt::print("{:<{}}{} {:>12} {:>12} {:>12} {:>13} {:>24} {:>21}\n", "", width,
                   axis.empty() ? "" : fmt::format(" {:>8}", axis), "median", "fastest", "slowest", "tokens/s",
                   "operations, share", "bytes, share");
        const BenchRow* first = rows.front();
        for (const BenchRow* row : rows) {
            if (row->name != first->name) first = row;
            print_row(*row, first, axis, width);
        }
    }
    for (const std::string& note : report.notes) fmt::print("{}\n", note);
}

}  // namespace whorl
