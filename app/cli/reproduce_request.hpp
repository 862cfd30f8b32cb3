// What `whorl reproduce` is asked for, shared by its two ways of working: rows of quick runs, and pieces.
#pragma once

#include <string>
#include <vector>

#include "app/cli/options.hpp"
#include "app/reproduce/table.hpp"
#include "core/backend/backend.hpp"

namespace whorl::cli {

/// What --quick, --medium, --full, --row, --column, --width and --set leave of a table.
struct ReproduceRequest {
    const PublishedTable& table;
    std::vector<const TableColumn*> columns;
    std::vector<const TableRow*> rows;
    std::vector<std::int64_t> widths;
    Profile profile;  // --medium is a part of the full one
    std::vector<std::string> assignments;
    std::string folder;  // --out
};

/// --medium and --full: the pieces that are asked for, one after the other, until --minutes are over. Returns the
/// program's exit status.
int reproduce_pieces(const ReproduceRequest& request, const Parsed& parsed);

/// --dry-run: what each piece would train, how long that takes, and the sums.
int show_costs(const ReproduceRequest& request, const Parsed& parsed);

/// --status: how far each piece is. 0 when all that are asked for are done, else 1.
int show_pieces(const ReproduceRequest& request, const Parsed& parsed);

/// --from: the table of the pieces in those folders, printed, and written to --out where that is given.
int merge_pieces(const PublishedTable& table, const Parsed& parsed);

}  // namespace whorl::cli
