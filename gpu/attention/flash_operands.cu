#include "gpu/attention/flash_operands.cuh"

namespace whorl::gpu {
namespace {

constexpr int kCopyThreads = 256;

/// Channels of a head as an operand; the low parts stand K behind the high ones.
template <Products P, int Width>
__device__ __forceinline__ void store_operand(FlashOperand<P>* to, int k, const Vector<float, Width>& x, float scale) {
    if constexpr (!kScaled<P>) {
        store_vector(to, x);
    } else {
        Vector<Half, Width> high, low;
#pragma unroll
        for (int i = 0; i < Width; ++i) {
            const float number = scale * x.at[i];
            high.at[i] = Half(number);
            low.at[i] = Half(number - static_cast<float>(high.at[i]));
        }
        store_vector(to, high);
        if constexpr (kParts<P> == 2) store_vector(to + k, low);
    }
}

/// Parts 0 … parts-1 of qkv (q, keys, values) as operands, q and keys turned: [R, rows, parts, H, K]. Width channels a
/// thread, and those half a head away.
template <class S, Products P, int Width>
struct CopyParts {
    AttentionShape s;
    View<S> qkv;
    FlashOperand<P>* to;
    int parts;
    FlashOperands<FlashOperand<P>> in;  // their scales
    const float *sin, *cos;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const std::int64_t b = row / s.length;
        const int t = static_cast<int>(row - b * s.length), half = s.half(), packs = half / Width;
        if (t >= s.sequences.length_of(r, b)) return;
        const int head = column / packs, j = column % packs * Width, part = head / s.heads;
        const std::int64_t own = s.sequences.first_row(r, b) + t;
        const S* from = qkv.row(r, own) + head * s.k + j;
        auto one = load_vector<Width>(from), two = load_vector<Width>(from + half);
        if (s.rope && part < 2) {
#pragma unroll
            for (int i = 0; i < Width; ++i) {
                const int angle = t * half + j + i;
                const auto turned = numerics::rotate<float>({one.at[i], two.at[i]}, cos[angle], sin[angle]);
                one.at[i] = turned.x;
                two.at[i] = turned.y;
            }
        }
        const auto scale = in.template scale<P>(s, {r, b, head - part * s.heads}, static_cast<OperandName>(part)).to;
        FlashOperand<P>* target =
            to + ((r * s.sequences.most_rows() + own) * parts * s.heads + head) * s.k * kParts<P> + j;
        store_operand<P>(target, s.k, one, scale);
        store_operand<P>(target + half, s.k, two, scale);
    }
};

/// The rows of the cache: [R, B, rows, 2, H, K].
template <Products P, int Width>
struct CopyCache {
    AttentionShape s;
    View<float> cache;
    FlashOperand<P>* to;
    std::int64_t rows;  // of a sequence
    FlashOperands<FlashOperand<P>> in;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const std::int64_t b = row / rows;
        const int packs = s.k / Width, head = column / packs, j = column % packs * Width, part = head / s.heads;
        const auto scale =
            in.template scale<P>(s, {r, b, head - part * s.heads}, static_cast<OperandName>(1 + part)).to;
        store_operand<P>(to + ((r * s.batch * rows + row) * 2 * s.heads + head) * s.k * kParts<P> + j, s.k,
                         load_vector<Width>(cache.at(r, b, row - b * rows) + head * s.k + j), scale);
    }
};

__device__ __forceinline__ unsigned larger(unsigned a, unsigned b) {
    return a > b ? a : b;
}
/// The larger of a size, as the bits of a float, and |x|.
__device__ __forceinline__ unsigned larger_size(unsigned size, float x) {
    return larger(size, __float_as_uint(x) & 0x7fffffffU);
}

constexpr int kLargestRows = 64;
/// The largest sizes of operands `first` and on, which stand side by side in rows of `columns` numbers: over at most
/// kLargestRows of a sequence a block. The order in which maxima meet makes no difference. `rows`: of a sequence of the
/// cache.
template <int Width>
__global__ void largest_kernel(AttentionShape s, View<float> from, int rows, int columns, OperandName first,
                               LargestNumbers largest, int chunks, int column_blocks) {
    const unsigned r = blockIdx.y, block = blockIdx.x / static_cast<unsigned>(column_blocks);
    const std::int64_t b = block / static_cast<unsigned>(chunks);
    const int count = rows > 0 ? rows : s.sequences.length_of(r, b);
    const int begin = static_cast<int>(block % static_cast<unsigned>(chunks)) * kLargestRows,
              end = least_of(begin + kLargestRows, count);
    const int column =
        static_cast<int>(blockIdx.x % static_cast<unsigned>(column_blocks) * kCopyThreads + threadIdx.x) * Width;
    const float* own = (rows > 0 ? from.at(r, b, 0) : from.row(r, s.sequences.first_row(r, b))) + column;
    unsigned most = 0;
    if (column < columns)
        for (int t = begin; t < end; ++t) {
            const auto x = load_vector<Width>(own + t * from.stride2);
#pragma unroll
            for (int i = 0; i < Width; ++i) most = larger_size(most, x.at[i]);
        }
    const int lanes = least_of(s.k / Width, 32);  // of a warp, that have the same head
    for (int distance = lanes / 2; distance > 0; distance /= 2)
        most = larger(most, __shfl_xor_sync(0xffffffffU, most, distance));
    if (column >= columns || static_cast<int>(threadIdx.x) % lanes != 0) return;
    const int operand = column / s.width();
    atomicMax(largest.of(s, {r, b, (column - operand * s.width()) / s.k},
                         static_cast<OperandName>(static_cast<int>(first) + operand)),
              most);
}

constexpr int kMostLift = 40;
/// What a query's output passes back on the whole, D = ⟨dy, y⟩, with y as stored activations have it where products are
/// bf16; and dy as an operand (`to` null: not wanted). Eight lanes a head.
template <class S, Products P, int Width>
__global__ void mean_kernel(AttentionShape s, View<S> y, View<S> d_y, FlashOperands<FlashOperand<P>> in,
                            FlashOperand<P>* to) {
    constexpr int lanes = 8;
    const unsigned r = blockIdx.y;
    const std::int64_t index = (std::int64_t{blockIdx.x} * kCopyThreads + threadIdx.x) / lanes, row = index / s.heads;
    const std::int64_t b = row / s.length;
    const int t = static_cast<int>(row - b * s.length), h = static_cast<int>(index - row * s.heads);
    const bool there = b < s.batch && t < s.sequences.length_of(r, b);
    float sum = 0;
    unsigned most = 0;
    if (there) {
        const std::int64_t own = s.sequences.first_row(r, b) + t;
        const S *of_y = y.row(r, own) + h * s.k, *slopes = d_y.row(r, own) + h * s.k;
        const float scale = in.template scale<P>(s, {r, b, h}, OperandName::d_y).to;
        for (int c = static_cast<int>(threadIdx.x) % lanes * Width; c < s.k; c += lanes * Width) {
            const auto one = load_vector<Width>(of_y + c), two = load_vector<Width>(slopes + c);
#pragma unroll
            for (int i = 0; i < Width; ++i) {
                const float number = kScaled<P> ? one.at[i] : static_cast<float>(Bf16(one.at[i]));
                sum = numerics::fma(number, two.at[i], sum);
                most = larger_size(most, two.at[i]);
            }
            if (to != nullptr)
                store_operand<P>(to + ((r * s.sequences.most_rows() + own) * s.heads + h) * s.k * kParts<P> + c, s.k,
                                 two, scale);
        }
    }
#pragma unroll
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, distance);
        if constexpr (kScaled<P>) most = larger(most, __shfl_xor_sync(0xffffffffU, most, distance));
    }
    if (!there || threadIdx.x % lanes != 0) return;
    const HeadOfSequence head{r, b, h};
    in.means.of(s, head)[t] = sum;
    if constexpr (kScaled<P>) {
        const int behind =
            static_cast<int>(*in.largest.of(s, head, OperandName::d_y) >> 23) - static_cast<int>(most >> 23);
        in.lifts.of(s, head)[t] = __uint_as_float(static_cast<unsigned>(127 + least_of(behind, kMostLift)) << 23);
    }
}

/// What the functions below share.
template <Products P>
struct OperandMaker {
    using E = FlashOperand<P>;
    const CudaBackend& backend;
    const AttentionCall& call;
    const AttentionShape& s;
    FlashScratch<P> work;
    FlashOperands<E> in{};

    OperandMaker(const CudaBackend& b, const AttentionCall& c, std::int64_t context)
        : backend(b), call(c), s(c.shape), work(c.scratch.data, s, context) {
        in.largest = {work.largest, work.largest_slope};
        in.means = {work.means};
        in.lifts = {work.lifts};
        in.log_sums = {nullptr};
        if (!c.saved) return;
        const FlashSaved saved(c.saved.data, s);
        in.largest.of_qkv = saved.largest;
        in.log_sums = {saved.log_sums};
    }
    void clear_largest(unsigned* of, std::int64_t operands) const {
        if constexpr (kScaled<P>)
            check(cudaMemsetAsync(of, 0, static_cast<std::size_t>(operands * s.all_heads()) * sizeof(unsigned),
                                  backend.stream()),
                  "attention");
    }
    static bool direct(const Tensor& x) { return P == Products::bf16 && x.dtype == DType::bf16 && in_groups(x, 8); }
    OperandRows<E> rows_of(const Tensor& x, std::int64_t channel) const {
        return {reinterpret_cast<const E*>(x.data) + channel, x.stride[0], x.stride[2], s.k, x.shape[2]};
    }
    /// Part i of copies with `parts` in a row, `rows` a sequence.
    OperandRows<E> copied(E* to, std::int64_t parts, int i, std::int64_t rows) const {
        const std::int64_t width = s.width() * kParts<P>, row = parts * width;
        return {to + i * width, s.batch * rows * row, row, s.k * kParts<P>, rows};
    }
    /// `rows`: see largest_kernel.
    void find_largest(const Tensor& x, int rows, int columns, OperandName first) const {
        if constexpr (kScaled<P>)
            dispatch_width<float>(in_groups(x, 4), [&](auto width) {
                const int chunks = static_cast<int>(ceil_div(rows > 0 ? rows : s.length, kLargestRows));
                const int blocks = static_cast<int>(ceil_div(columns, width() * kCopyThreads));
                launch("attention", largest_kernel<width()>,
                       dim3(grid_size(s.batch * chunks * blocks), grid_size(s.replicas)), dim3(kCopyThreads), 0,
                       backend.stream(), s, view<float>(x), rows, columns, first, in.largest, chunks, blocks);
            });
    }
    /// q, keys and values from qkv: the first `wanted` of them.
    void make_parts(int wanted) {
        const int count = least_of(wanted, direct(call.qkv) ? (s.rope ? 2 : 0) : 3);
        if (count > 0) copy_parts(count);
        const auto part = [&](int i) {
            return i < count ? copied(work.qkv, count, i, s.length) : rows_of(call.qkv, std::int64_t{i} * s.width());
        };
        in.q = part(0);
        in.keys = part(1);
        in.values = part(2);
    }
    void copy_parts(int count) const {
        dispatch_stored(call.qkv.dtype, [&](auto, auto stored) {
            using S = decltype(stored);
            if constexpr (sizeof(S) <= sizeof(float))
                dispatch_width<float>(in_groups(call.qkv, 4), [&](auto width) {
                    for_each_element("attention", backend.stream(), s.replicas, SequenceRows(s.sequences.most_rows()),
                                     std::int64_t{count} * s.heads * (s.half() / width()),
                                     CopyParts<S, P, width()>{s, view<S>(call.qkv), work.qkv, count, in,
                                                              work.angles.sin, work.angles.cos});
                });
        });
    }
    void make_context(int rows) {
        find_largest(call.cache, rows, 2 * s.width(), OperandName::keys);
        dispatch_width<float>(in_groups(call.cache, 4), [&](auto width) {
            for_each_element("attention", backend.stream(), s.replicas, SequenceRows(s.batch * rows),
                             std::int64_t{2} * s.width() / width(),
                             CopyCache<P, width()>{s, view<float>(call.cache), work.cache, rows, in});
        });
        in.keys = copied(work.cache, 2, 0, rows);
        in.values = copied(work.cache, 2, 1, rows);
    }
    void make_slopes() {
        const bool as_they_are = direct(call.d_y);
        clear_largest(in.largest.of_d_y, 1);
        find_largest(call.d_y, 0, s.width(), OperandName::d_y);
        const dim3 grid(grid_size(ceil_div(s.sequences.most_rows() * s.heads * 8, kCopyThreads)),
                        grid_size(s.replicas));
        dispatch_stored(call.qkv.dtype, [&](auto, auto stored) {
            using S = decltype(stored);
            if constexpr (sizeof(S) <= sizeof(float))
                dispatch_width<float>(in_groups(call.y, 4) && in_groups(call.d_y, 4), [&](auto width) {
                    launch("attention", mean_kernel<S, P, width()>, grid, dim3(kCopyThreads), 0, backend.stream(), s,
                           view<S>(call.y), view<S>(call.d_y), in, as_they_are ? nullptr : work.d_y);
                });
        });
        in.d_y = as_they_are ? rows_of(call.d_y, 0) : copied(work.d_y, 1, 0, s.length);
    }
};

}  // namespace

template <Products P>
FlashOperands<FlashOperand<P>> forward_operands(const CudaBackend& backend, const AttentionCall& call) {
    const int context = call.cache ? call.shape.earlier + call.shape.length : 0;
    OperandMaker<P> maker(backend, call, context);
    maker.clear_largest(maker.in.largest.of_qkv, 3);
    maker.find_largest(call.qkv, 0, (call.cache ? 1 : 3) * call.shape.width(), OperandName::q);
    maker.make_parts(call.cache ? 1 : 3);
    if (call.cache) maker.make_context(context);
    return maker.in;
}

template <Products P>
FlashOperands<FlashOperand<P>> backward_operands(const CudaBackend& backend, const AttentionCall& call) {
    OperandMaker<P> maker(backend, call, 0);
    maker.make_parts(3);  // forward has found their largest numbers
    maker.make_slopes();
    return maker.in;
}

template FlashOperands<Half> forward_operands<Products::float32>(const CudaBackend&, const AttentionCall&);
template FlashOperands<Half> forward_operands<Products::tf32>(const CudaBackend&, const AttentionCall&);
template FlashOperands<Bf16> forward_operands<Products::bf16>(const CudaBackend&, const AttentionCall&);
template FlashOperands<Half> backward_operands<Products::float32>(const CudaBackend&, const AttentionCall&);
template FlashOperands<Half> backward_operands<Products::tf32>(const CudaBackend&, const AttentionCall&);
template FlashOperands<Bf16> backward_operands<Products::bf16>(const CudaBackend&, const AttentionCall&);

OpMemory flash_memory(DType stored, const AttentionShape& s, std::int64_t capacity) {
    OpMemory memory;
    memory.saved = FlashSaved(nullptr, s).parts.bytes();
    const bool one_tile = s.length <= kOneTile;  // by bf16 products and without a cache: see flash_takes
    const bool bf16 = stored == DType::bf16 || one_tile;
    const std::int64_t context = capacity > 0 && !one_tile ? capacity + s.length : 0;
    memory.scratch = bf16 ? FlashScratch<Products::bf16>(nullptr, s, context).parts.bytes()
                          : FlashScratch<Products::float32>(nullptr, s, context).parts.bytes();
    return memory;
}

}  // namespace whorl::gpu
