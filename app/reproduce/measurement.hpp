// What a table measures without training: orders of discretization rules, times of updates. A record a row, beside the
// pieces:
//
//     OUT/cells/KEY-ROW.json
//
// In the table's file: [[measurements]] key = "order", rows = ["exponential_trapezoid", …].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/reproduce/piece_record.hpp"

namespace whorl {

struct MeasurementRecord {
    std::string table, measurement, row;
    std::string unit;  // "order", "seconds"
    std::vector<double> values;
    std::vector<std::string> names;  // of the values, as many or none
    std::vector<StoredRule> rules;   // as a piece's
    PieceOrigin origin;
};

/// All rows of a measurement. Throws UserError for a row that its kind does not know.
std::vector<MeasurementRecord> measure(const PublishedTable& table, const TableMeasurement& measurement,
                                       const std::vector<StoredRule>& rules, Backend& backend);

/// The same by kind: the rows' values and units alone.
std::vector<MeasurementRecord> measure_orders(const TableMeasurement& measurement);
std::vector<MeasurementRecord> measure_update_times(const TableMeasurement& measurement, Backend& backend);

/// "OUT/cells/order-bilinear.json"
std::string measurement_path(const std::string& out, const std::string& measurement, const std::string& row);

std::string to_json(const MeasurementRecord& record);
/// Empty when the file is JSON of another kind. Throws UserError naming the file.
std::optional<MeasurementRecord> measurement_record(const Document& document);

}  // namespace whorl
