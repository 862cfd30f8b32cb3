#include "app/claims/claim_results.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "app/reproduce/measurement.hpp"
#include "app/reproduce/piece_table.hpp"
#include "app/run/config_difference.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 26;

const TableMeasurement* measurement_of(const PublishedTable& table, const std::string& key) {
    for (const TableMeasurement& measurement : table.measurements)
        if (measurement.key == key) return &measurement;
    return nullptr;
}

void check_row(const PublishedTable& table, const Comparison& comparison, const std::string& row,
               const std::string& where) {
    const TableMeasurement* measurement = measurement_of(table, comparison.column);
    if (measurement == nullptr) {
        row_of(table, row, where);
        return;
    }
    if (std::find(measurement->rows.begin(), measurement->rows.end(), row) == measurement->rows.end())
        throw UserError(where + ": the measurement " + in_quotes(measurement->key) + " has no row " + in_quotes(row) +
                        suggestion(row, measurement->rows));
}

std::vector<MeasurementRecord> measurements_below(const PublishedTable& table,
                                                  const std::vector<std::string>& folders) {
    std::vector<MeasurementRecord> records;
    for (const std::string& folder : folders)
        for (const std::string& file : json_files(folder)) {
            auto record = measurement_record(parse_json(read_text_file(file, kMostBytes), file));
            if (record && record->table == table.name) records.push_back(std::move(*record));
        }
    return records;
}

class Results {
public:
    Results(const ClaimRule& rule, const std::vector<std::string>& folders, std::optional<Profile> profile)
        : rule_(rule),
          table_(published_table(rule.table)),
          pieces_(pieces_below(table_, folders)),
          measurements_(measurements_below(table_, folders)),
          profile_(profile.value_or(best_profile())) {}

    JudgedClaim judge() {
        const CellSource cells = [this](const Comparison& comparison, const std::string& row) {
            return values(comparison, row);
        };
        const ClaimResult result = whorl::judge(rule_, cells, [this](const Comparison& one) { return is_asked(one); });
        JudgedClaim judged{&rule_, result, profile_, reason_, {commits_.begin(), commits_.end()}};
        if (!reason_.empty()) judged.result.verdict = Verdict::rule_is_newer;
        return judged;
    }

private:
    Profile best_profile() const {
        const bool full = std::any_of(pieces_.begin(), pieces_.end(),
                                      [](const FoundPiece& piece) { return piece.record.profile == Profile::full; });
        return full || pieces_.empty() ? Profile::full : Profile::quick;
    }

    // What the profile does not train is no part of its verdict; measurements are the same in both.
    bool is_asked(const Comparison& comparison) const {
        if (measurement_of(table_, comparison.column) != nullptr) return true;
        const TableColumn& column = column_of(table_, comparison.column, rule_.name);
        const auto trained = [&](const std::string& row) { return column.has(row, profile_); };
        const bool control =
            !comparison.control || (trained(comparison.control->better) && trained(comparison.control->worse));
        return trained(comparison.arm) && trained(comparison.beside) && control;
    }

    std::optional<CellValues> values(const Comparison& comparison, const std::string& row) {
        if (measurement_of(table_, comparison.column) != nullptr) return measured(comparison, row);
        const std::int64_t width = table_.widths_at(profile_).back();
        for (const FoundPiece& piece : pieces_) {
            const PieceRecord& record = piece.record;
            if (record.profile == profile_ && record.column == comparison.column && record.row == row &&
                record.width == width)
                return trained(comparison, piece);
        }
        return std::nullopt;
    }

    CellValues trained(const Comparison& comparison, const FoundPiece& piece) {
        const PieceRecord& record = piece.record;
        check_rules(record.rules, piece.path);
        check_recipe(piece);
        commits_.insert(record.origin.commit);
        const auto stated = profile_ == Profile::quick ? comparison.quick_size : comparison.size;
        const std::int64_t size = stated.value_or(record.test_size);
        const auto at = std::find(record.test_sizes.begin(), record.test_sizes.end(), size);
        if (at == record.test_sizes.end())
            throw UserError(one_line(piece.path + ": was not tested at " + std::to_string(size) + ", where the claim " +
                                     in_quotes(rule_.name) + " is read"));
        CellValues values;
        for (const ReplicaResult& replica : fresh_replicas(record)) {
            const double score = score_of(record, replica, static_cast<std::size_t>(at - record.test_sizes.begin()));
            values.push_back(less_is_better(record.metric) ? -score : score);
        }
        return values;
    }

    std::optional<CellValues> measured(const Comparison& comparison, const std::string& row) {
        for (const MeasurementRecord& record : measurements_) {
            if (record.measurement != comparison.column || record.row != row) continue;
            check_rules(record.rules, record.measurement + "-" + record.row);
            commits_.insert(record.origin.commit);
            CellValues values = record.values;
            if (record.unit == "seconds")
                for (double& value : values) value = -numerics::log(value);
            return values;
        }
        return std::nullopt;
    }

    void check_rules(const std::vector<StoredRule>& rules, const std::string& path) {
        const auto own = std::find_if(rules.begin(), rules.end(),
                                      [this](const StoredRule& stored) { return stored.claim == rule_.name; });
        if (own == rules.end())
            note(path + ": was made without the rule");
        else if (own->checksum != rule_.checksum)
            note(path + ": was made by another rule (" + own->checksum + ", now " + rule_.checksum + ")");
    }

    void check_recipe(const FoundPiece& piece) {
        const PieceRecord& record = piece.record;
        const Piece now{&table_, &column_of(table_, record.column, piece.path), &row_of(table_, record.row, piece.path),
                        record.width, record.profile};
        const auto differences =
            config_differences(to_value(recipe_of(record, piece.path)), to_value(rates_setup(now, {}).config));
        if (!differences.empty()) note(piece.path + ": is of another recipe (" + difference_text(differences) + ")");
    }

    void note(const std::string& reason) {
        if (reason_.empty()) reason_ = one_line(reason);
    }

    const ClaimRule& rule_;
    const PublishedTable& table_;
    std::vector<FoundPiece> pieces_;
    std::vector<MeasurementRecord> measurements_;
    Profile profile_;
    std::string reason_;
    std::set<std::string> commits_;
};

}  // namespace

void check_rule(const ClaimRule& rule) {
    const PublishedTable& table = published_table(rule.table);
    const std::string where = rule.name + ": comparisons";
    for (const Comparison& comparison : rule.comparisons) {
        if (measurement_of(table, comparison.column) == nullptr) column_of(table, comparison.column, where);
        check_row(table, comparison, comparison.arm, where);
        if (!comparison.beside.empty()) check_row(table, comparison, comparison.beside, where);
        if (rule.ceiling) check_row(table, comparison, rule.ceiling->row, rule.name + ": ceiling");
        if (!comparison.control) continue;
        check_row(table, comparison, comparison.control->better, where + ": control");
        check_row(table, comparison, comparison.control->worse, where + ": control");
    }
}

JudgedClaim judge_claim(const ClaimRule& rule, const std::vector<std::string>& folders,
                        std::optional<Profile> profile) {
    check_rule(rule);
    JudgedClaim judged = Results(rule, folders, profile).judge();
    if (profile || judged.profile == Profile::quick || judged.result.verdict != Verdict::no_results) return judged;
    JudgedClaim quick = Results(rule, folders, Profile::quick).judge();
    return quick.result.verdict == Verdict::no_results ? judged : quick;
}

}  // namespace whorl
