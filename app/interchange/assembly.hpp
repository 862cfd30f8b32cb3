// How a model's parameters lie in the tensors of a released checkpoint: one table, walked in both directions.
#pragma once

#include <string>
#include <vector>

#include "app/interchange/foreign_checkpoint.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl::interchange {

/// A foreign tensor of `shape`, seen as [blocks, stored_rows, stored_columns]; a parameter takes `rows` × `columns` of
/// each block, from row `begin` and column 0 on. What no parameter takes is padding.
struct TensorPart {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t blocks = 1, stored_rows = 1, stored_columns = 1, rows = 1, columns = 1;
    std::int64_t begin = 0;

    std::int64_t count() const { return blocks * rows * columns; }
    bool padded() const { return rows != stored_rows || columns != stored_columns; }
};

TensorPart whole(std::string name, std::vector<std::int64_t> shape);
/// [blocks·stored_rows, columns], of which rows 0 … rows-1 of each block are taken.
TensorPart first_rows(std::string name, std::int64_t blocks, std::int64_t stored_rows, std::int64_t rows,
                      std::int64_t columns);
/// [stored_rows, columns], of which rows begin … begin+rows-1 are taken.
TensorPart some_rows(std::string name, std::int64_t stored_rows, std::int64_t begin, std::int64_t rows,
                     std::int64_t columns);
/// [rows, stored_columns], of which columns 0 … columns-1 are taken.
TensorPart first_columns(std::string name, std::int64_t rows, std::int64_t stored_columns, std::int64_t columns);

/// One parameter: its parts' elements, one part after the other.
struct Assembly {
    std::string parameter;
    std::vector<TensorPart> parts;
};

/// Throws UserError unless every part is there in its shape and nothing else is, apart from `allowed`. Reads no data.
void check_parts(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies,
                 const std::vector<std::string>& allowed);

/// The slice of ParameterLayout that the parts give.
std::vector<double> gather(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies,
                           const ParameterLayout& layout);

/// Appends a line to `notes` when float32 cannot hold the slice exactly; files are written in float32.
void note_rounding(const std::vector<double>& slice, std::vector<std::string>& notes);

/// True when all that no part takes is zero. Throws as check_parts for a padded part.
bool padding_is_zero(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies);

/// The foreign tensors that hold the slice, in float32, padding zero.
struct ForeignTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};
std::vector<ForeignTensor> scatter(const std::vector<double>& slice, const std::vector<Assembly>& assemblies,
                                   const ParameterLayout& layout);

}  // namespace whorl::interchange
