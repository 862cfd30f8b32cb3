// Products with lower-triangular m×m matrices, in panels of rows, so that most of the empty upper half is never
// touched. With rank > 1 the diagonal consists of rank×rank blocks, which no panel may cut. Entries above the diagonal
// inside a panel must be zero.
#pragma once

#include <algorithm>

#include "core/cpu/gemm.hpp"

namespace whorl::cpu {

/// Rows of a panel: as many as the columns of a tile of the matrix product, if `rank` divides that, else fewer.
constexpr std::int64_t panel_rows(std::int64_t rank) {
    return rank >= 16 ? rank : 16 / rank * rank;
}

/// body(begin, end) for each panel of rows.
template <class Body>
void for_each_panel(std::int64_t rows, std::int64_t panel, const Body& body) {
    for (std::int64_t begin = 0; begin < rows; begin += panel) body(begin, std::min(begin + panel, rows));
}

template <class T>
Matrix<T> sub_rows(Matrix<T> m, std::int64_t begin, std::int64_t end) {
    return {m.data + begin * m.ld, end - begin, m.cols, m.ld};
}
template <class T>
Matrix<T> sub_block(Matrix<T> m, std::int64_t begin, std::int64_t end, std::int64_t first_col, std::int64_t end_col) {
    return {m.data + begin * m.ld + first_col, end - begin, end_col - first_col, m.ld};
}

/// The lower triangle of c = a bᵀ (a, b [m,k]), panels of columns; the entries above the diagonal in the square where a
/// panel crosses it get their products too, the rest nothing.
template <class T>
void lower_of_nt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, std::int64_t panel) {
    for_each_panel(a.rows, panel, [&](std::int64_t begin, std::int64_t end) {
        gemm_nt<T>(sub_rows(a, begin, a.rows), sub_rows(b, begin, end), sub_block(c, begin, a.rows, begin, end),
                   Write::assign);
    });
}

/// c = l b, l lower-triangular [m,m], b [m,n].
template <class T>
void lower_times(Matrix<const T> l, Matrix<const T> b, Matrix<T> c, Write write, std::int64_t panel) {
    for_each_panel(l.rows, panel, [&](std::int64_t begin, std::int64_t end) {
        gemm_nn<T>(sub_block(l, begin, end, 0, end), sub_rows(b, 0, end), sub_rows(c, begin, end), write);
    });
}

/// c = lᵀ b, l lower-triangular [m,m], b [m,n].
template <class T>
void lower_transposed_times(Matrix<const T> l, Matrix<const T> b, Matrix<T> c, Write write, std::int64_t panel) {
    for_each_panel(l.rows, panel, [&](std::int64_t begin, std::int64_t end) {
        gemm_tn<T>(sub_block(l, begin, l.rows, begin, end), sub_rows(b, begin, l.rows), sub_rows(c, begin, end), write);
    });
}

/// The end of the panel that row i belongs to: as far as a row must be filled.
inline std::int64_t panel_end(std::int64_t i, std::int64_t rows, std::int64_t panel) {
    return std::min((i / panel + 1) * panel, rows);
}

}  // namespace whorl::cpu
