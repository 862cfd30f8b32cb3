#include "app/bench/compare.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl {
namespace {

std::string label(const BenchRow& row) {
    std::string text = row.name;
    if (const auto* sizes = std::get_if<Table>(&row.sizes.data))
        for (const Member& size : *sizes) text += " " + size.key + " " + write_json(size.value);
    return text;
}

const BenchRow* find_row(const BenchReport& report, const std::string& wanted) {
    for (const BenchRow& row : report.rows)
        if (label(row) == wanted) return &row;
    return nullptr;
}

}  // namespace

BenchReport load_report(const std::string& path) {
    constexpr std::uint64_t kMost = std::uint64_t{16} << 20;
    auto report = read_config<BenchReport>(parse_json(read_text_file(path, kMost), path));
    for (std::size_t i = 0; i < report.rows.size(); ++i)
        if (!std::holds_alternative<Table>(report.rows[i].sizes.data))
            throw UserError(path + ": rows[" + std::to_string(i) + "].sizes: expected a table, got " +
                            kind_name(report.rows[i].sizes));
    return report;
}

BenchComparison compare_reports(const BenchReport& now, const BenchReport& earlier, double tolerance) {
    BenchComparison result;
    const auto differ = [&](const char* what, const std::string& there, const std::string& here) {
        if (there != here) result.lines.push_back(fmt::format("{} differs: {} then, {} now", what, there, here));
    };
    differ("benchmark", earlier.bench, now.bench);
    differ("device", earlier.device, now.device);
    differ("arithmetic", earlier.arithmetic, now.arithmetic);
    for (const BenchRow& row : now.rows) {
        const BenchRow* then = find_row(earlier, label(row));
        if (!then) {
            result.lines.push_back(label(row) + ": not in the earlier run");
            continue;
        }
        const double ratio = row.ms / then->ms;
        const bool slower = ratio > 1 + tolerance;
        ++result.compared;
        result.slower += slower ? 1 : 0;
        result.lines.push_back(fmt::format("{}: {:.4g} ms then, {:.4g} ms now, {:.3f} x{}", label(row), then->ms,
                                           row.ms, ratio, slower ? "  SLOWER" : ""));
    }
    for (const BenchRow& row : earlier.rows)
        if (!find_row(now, label(row))) result.lines.push_back(label(row) + ": only in the earlier run");
    return result;
}

}  // namespace whorl
