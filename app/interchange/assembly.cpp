#include "app/interchange/assembly.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::interchange {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? "," : "") + std::to_string(shape[i]);
    return text + "]";
}

/// Calls visit(stored index, taken index or -1 for padding) for every stored element, in order.
template <class Visit>
void walk(const TensorPart& part, Visit visit) {
    std::int64_t stored = 0, taken = 0;
    for (std::int64_t b = 0; b < part.blocks; ++b)
        for (std::int64_t i = 0; i < part.stored_rows; ++i)
            for (std::int64_t j = 0; j < part.stored_columns; ++j, ++stored)
                visit(static_cast<std::size_t>(stored),
                      i >= part.begin && i < part.begin + part.rows && j < part.columns ? taken++ : -1);
}

const ParameterInfo& parameter_of(const Assembly& assembly, const ParameterLayout& layout) {
    const ParameterInfo& parameter = layout.parameters()[static_cast<std::size_t>(layout.index(assembly.parameter))];
    std::int64_t count = 0;
    for (const TensorPart& part : assembly.parts) count += part.count();
    if (count != parameter.count) throw std::logic_error("the parts of " + parameter.name + " do not make it up");
    return parameter;
}

void check_shape(const ForeignCheckpoint& source, const TensorPart& part) {
    const StoredTensor& stored = source.at(part.name);
    if (stored.shape != part.shape)
        throw UserError(one_line(source.file_of(part.name) + ": " + part.name + ": shape " + shape_text(stored.shape) +
                                 ", but the config needs " + shape_text(part.shape)));
}

}  // namespace

TensorPart whole(std::string name, std::vector<std::int64_t> shape) {
    const std::int64_t count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    return {std::move(name), std::move(shape), 1, 1, count, 1, count};
}

TensorPart first_rows(std::string name, std::int64_t blocks, std::int64_t stored_rows, std::int64_t rows,
                      std::int64_t columns) {
    return {std::move(name), {blocks * stored_rows, columns}, blocks, stored_rows, columns, rows, columns};
}

TensorPart some_rows(std::string name, std::int64_t stored_rows, std::int64_t begin, std::int64_t rows,
                     std::int64_t columns) {
    return {std::move(name), {stored_rows, columns}, 1, stored_rows, columns, rows, columns, begin};
}

TensorPart first_columns(std::string name, std::int64_t rows, std::int64_t stored_columns, std::int64_t columns) {
    return {std::move(name), {rows, stored_columns}, 1, rows, stored_columns, rows, columns};
}

void check_parts(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies,
                 const std::vector<std::string>& allowed) {
    std::set<std::string> known(allowed.begin(), allowed.end());
    for (const Assembly& assembly : assemblies)
        for (const TensorPart& part : assembly.parts) {
            check_shape(source, part);
            known.insert(part.name);
        }
    for (const std::string& name : source.names())
        if (known.count(name) == 0)
            throw UserError(one_line(source.file_of(name) + ": " + in_quotes(name, 120) +
                                     ": the model of the config has no such tensor"));
}

std::vector<double> gather(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies,
                           const ParameterLayout& layout) {
    std::vector<double> slice(static_cast<std::size_t>(layout.slice()), 0.0);
    for (const Assembly& assembly : assemblies) {
        double* target = slice.data() + parameter_of(assembly, layout).offset;
        for (const TensorPart& part : assembly.parts) {
            const std::vector<double> stored = source.read(part.name);
            walk(part, [&](std::size_t from, std::int64_t to) {
                if (to >= 0) target[to] = stored[from];
            });
            target += part.count();
        }
    }
    return slice;
}

void note_rounding(const std::vector<double>& slice, std::vector<std::string>& notes) {
    const auto rounds = [](double value) {
        return static_cast<double>(static_cast<float>(value)) != value && !std::isnan(value);
    };
    if (std::any_of(slice.begin(), slice.end(), rounds)) notes.emplace_back("float64 weights were rounded to float32");
}

bool padding_is_zero(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies) {
    bool zero = true;
    for (const Assembly& assembly : assemblies)
        for (const TensorPart& part : assembly.parts) {
            if (!part.padded() || !zero) continue;
            check_shape(source, part);
            const std::vector<double> stored = source.read(part.name);
            walk(part, [&](std::size_t from, std::int64_t to) { zero = zero && (to >= 0 || stored[from] == 0); });
        }
    return zero;
}

std::vector<ForeignTensor> scatter(const std::vector<double>& slice, const std::vector<Assembly>& assemblies,
                                   const ParameterLayout& layout) {
    std::vector<ForeignTensor> tensors;
    for (const Assembly& assembly : assemblies) {
        const double* source = slice.data() + parameter_of(assembly, layout).offset;
        for (const TensorPart& part : assembly.parts) {
            ForeignTensor& tensor = tensors.emplace_back(ForeignTensor{part.name, part.shape, {}});
            tensor.values.resize(static_cast<std::size_t>(part.blocks * part.stored_rows * part.stored_columns));
            walk(part, [&](std::size_t to, std::int64_t from) {
                tensor.values[to] = from < 0 ? 0.0F : static_cast<float>(source[from]);
            });
            source += part.count();
        }
    }
    return tensors;
}

}  // namespace whorl::interchange
