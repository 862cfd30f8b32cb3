#include "app/reproduce/measurement.hpp"

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

constexpr const char* kKind = "table measurement";

}  // namespace

// Found through argument-dependent lookup.
template <class V>
void describe(V& v, MeasurementRecord& c) {
    std::string kind = kKind;
    v.field("kind", kind);
    v.field("table", c.table, required());
    v.field("measurement", c.measurement, required());
    v.field("row", c.row, required());
    v.field("unit", c.unit, required());
    v.field("values", c.values, required());
    v.field("names", c.names);
    v.field("rules", c.rules);
    v.field("origin", c.origin);
    v.require(!c.values.empty(), "values", "a measurement of no values says nothing");
    v.require(c.names.empty() || c.names.size() == c.values.size(), "names", "must be as many as values");
}

std::vector<MeasurementRecord> measure(const PublishedTable& table, const TableMeasurement& measurement,
                                       const std::vector<StoredRule>& rules, Backend& backend) {
    std::vector<MeasurementRecord> records = measurement.kind == MeasurementKind::update_time
                                                 ? measure_update_times(measurement, backend)
                                                 : measure_orders(measurement);
    const Origin here = origin_here(backend.describe());
    for (MeasurementRecord& record : records) {
        record.table = table.name, record.measurement = measurement.key, record.rules = rules;
        record.origin = {here.device, here.processor, here.build.version, here.build.commit, here.build.compiler, {}};
    }
    return records;
}

std::string measurement_path(const std::string& out, const std::string& measurement, const std::string& row) {
    return out + "/cells/" + measurement + "-" + row + ".json";
}

std::string to_json(const MeasurementRecord& record) {
    return write_json(to_value(record), 1) + "\n";
}

std::optional<MeasurementRecord> measurement_record(const Document& document) {
    const Value* kind = find(document.root, "kind");
    const auto* word = kind ? std::get_if<std::string>(&kind->data) : nullptr;
    if (word == nullptr || *word != kKind) return std::nullopt;
    return read_config<MeasurementRecord>(document);
}

}  // namespace whorl
