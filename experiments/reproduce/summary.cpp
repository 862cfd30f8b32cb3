#include "experiments/reproduce/table.hpp"

namespace whorl {

RowResult summarize(const TableRow& row, const RunSetup& setup, const SessionResult& result,
                    const Evaluation& validation, std::int64_t test_size) {
    return {cell_of(setup, validation, result.test, test_size), &row, result.seconds};
}

}  // namespace whorl
