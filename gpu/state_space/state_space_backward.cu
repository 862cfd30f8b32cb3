#include "gpu/runtime/head_task.cuh"
#include "gpu/state_space/ranked_strips.cuh"
#include "gpu/state_space/state_space.cuh"
#include "gpu/state_space/state_space_backward.cuh"
#include "gpu/state_space/state_space_strips.cuh"

namespace whorl::gpu {
namespace {

/// One block a task; a task is a head of a sequence of a replica.
template <class T, class S, bool Shared, class Sizes>
__global__ void __launch_bounds__(kBlockThreads, 2)
    backward_kernel(const __grid_constant__ LayerShape<Sizes> s, const __grid_constant__ StateSpaceViews<T, S> in,
                    const View<S> d_y, const __grid_constant__ StateSpaceViews<T, S> gradient,
                    const __grid_constant__ HeadParts<T> parts, const T* saved, std::byte* outside,
                    std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    BackwardMemory<T, Sizes> own(memory, s);
    const std::int64_t saved_size = SavedLayout(s).count;
    for (std::int64_t task = blockIdx.x; task < s.tasks(); task += gridDim.x) {
        const auto [r, b, h] = HeadOfSequence::at(task, s.batch, s.heads);
        own.scan.s.length = s.sequences.length_of(r, b);
        HeadBackward<T, S, Sizes> head(s, in, own, gradient, parts, d_y, saved + task * saved_size, task, r,
                                       s.sequences.first_row(r, b), h);
        head.run();
        __syncthreads();
    }
}

/// What the heads of a position share: B and C of each group and rank, and θ. One warp a position.
/// Ranked: the parts' rows are those of ranked strips (ranked_strips.cuh), in the order of a block's memory, where
/// pairs that turn together are neighbours.
template <class T, class S, class Part, bool Ranked>
struct SharedGradients {
    StateSpaceShape s;
    StateSpaceViews<T, S> in, gradient;
    HeadParts<T, Part> parts;

    /// visit(second, n, term of b_norm's or c_norm's gradient) for each of the lane's channels.
    template <class Visit>
    __device__ void position(std::int64_t r, std::int64_t index, int lane, const Visit& visit) const {
        for (int rank = 0; rank < s.rank; ++rank)
            for (int group = 0; group < s.groups; ++group)
                if (Ranked && s.state <= 32)
                    rows<1>(r, index, rank, group, lane, visit);
                else if (s.state <= 64)
                    rows<2>(r, index, rank, group, lane, visit);
                else if (s.state <= 128)
                    rows<4>(r, index, rank, group, lane, visit);
                else if constexpr (!Ranked)  // these have no more
                    long_rows(r, index, rank, group, lane, visit);
        angles(r, index, lane);
    }

private:
    /// A group's row of B, or of C, raw, its gradient, and the first head's part of that.
    struct Row {
        const S* raw;
        S* to;
        Part* part;
        const T* norm;
    };
    __device__ int channel(int n) const { return Ranked && !s.neighbours ? n / 2 + n % 2 * (s.state / 2) : n; }
    __device__ Row row(std::int64_t r, std::int64_t index, int rank, int group, bool second) const {
        const std::int64_t column = s.heads * s.headdim + (((second ? s.rank : 0) + rank) * s.groups + group) * s.state;
        const std::int64_t first = s.head_rows(r, group * heads()) + index;
        const View<T>& norm = second ? in.c_norm : in.b_norm;
        return {in.xbc.row(r, index) + column, gradient.xbc.row(r, index) + column,
                (second ? parts.c : parts.b) + (first * s.rank + rank) * s.state, norm ? norm.at(r) : nullptr};
    }
    __device__ int heads() const { return s.heads / s.groups; }
    __device__ std::int64_t next_head() const { return s.head_rows(0, 1) * s.rank * s.state; }
    __device__ T scale_of(T square) const {
        return numerics::inverse_rms(square, static_cast<T>(s.state), static_cast<T>(s.epsilon));
    }

    /// Adds the heads' parts of a position's B and C and goes on through their norms; a lane has Count channels.
    template <int Count, class Visit>
    __device__ void rows(std::int64_t r, std::int64_t index, int rank, int group, int lane, const Visit& visit) const {
        const std::int64_t next = next_head();
#pragma unroll 1
        for (int second = 0; second < 2; ++second) {
            const Row one = row(r, index, rank, group, second == 1);
            T sums[Count] = {}, values[Count] = {};
            const auto each = [&](const auto& body) {
#pragma unroll
                for (int i = 0; i < Count; ++i)
                    if (const int n = Ranked ? lane * Count + i : lane + 32 * i; n < s.state) body(i, n);
            };
            if (one.norm) each([&](int i, int n) { values[i] = one.raw[channel(n)]; });
            if constexpr (Ranked) {
#pragma unroll 8
                for (int head = 0; head < heads() && lane * Count < s.state; ++head) {
                    const auto part = load_vector<Count>(one.part + head * next + lane * Count);
#pragma unroll
                    for (int i = 0; i < Count; ++i) sums[i] += part.at[i];
                }
            } else {
#pragma unroll 4
                for (int head = 0; head < heads(); ++head)
                    each([&](int i, int n) { sums[i] += one.part[head * next + n]; });
            }
            if (!one.norm) {
                each([&](int i, int n) { one.to[channel(n)] = sums[i]; });
                continue;
            }
            T square = 0, projection = 0;
            each([&](int i, int n) {
                square += values[i] * values[i];
                projection += sums[i] * one.norm[channel(n)] * values[i];
            });
            const T scale = scale_of(warp_sum(square));
            const T pull = warp_sum(projection) * scale * scale / static_cast<T>(s.state);
            each([&](int i, int n) {
                const int at = channel(n);
                visit(second, at, sums[i] * values[i] * scale);
                one.to[at] = scale * numerics::fma(sums[i], one.norm[at], -(values[i] * pull));  // see gate_slopes()
            });
        }
    }
    /// More channels than registers: the sums wait in the first head's part.
    template <class Visit>
    __device__ void long_rows(std::int64_t r, std::int64_t index, int rank, int group, int lane,
                              const Visit& visit) const {
        const std::int64_t next = next_head();
        for (int second = 0; second < 2; ++second) {
            const Row one = row(r, index, rank, group, second == 1);
            T square = 0, projection = 0;
            for (int n = lane; n < s.state; n += 32) {
                T sum = 0;
                for (int head = 0; head < heads(); ++head) sum += one.part[head * next + n];
                if (!one.norm) {
                    one.to[n] = sum;
                    continue;
                }
                one.part[n] = sum;
                const T value = one.raw[n];
                square += value * value;
                projection += sum * one.norm[n] * value;
            }
            if (!one.norm) continue;
            const T scale = scale_of(warp_sum(square));
            const T pull = warp_sum(projection) * scale * scale / static_cast<T>(s.state);
            for (int n = lane; n < s.state; n += 32) {  // each lane reads what it wrote
                const T sum = one.part[n], value = one.raw[n];
                visit(second, n, sum * value * scale);
                one.to[n] = scale * numerics::fma(sum, one.norm[n], -(value * pull));
            }
        }
    }
    __device__ void angles(std::int64_t r, std::int64_t index, int lane) const {
        for (int j = lane; j < s.angle_columns; j += 32) {
            T sum = 0;
            if (s.rotation == Rotation::data_dependent) {
#pragma unroll 4
                for (int h = 0; h < s.heads; ++h) sum += parts.theta[(s.head_rows(r, h) + index) * s.angles + j];
                sum *= numerics::angular_velocity_derivative(T(in.angle.row(r, index)[j]));
            }
            gradient.angle.row(r, index)[j] = sum;
        }
    }
};

/// Grid: (splits of the positions, replicas). The warps take turns with the positions of their split and each keeps its
/// part of the norms' gradients, [2][N] in shared memory.
template <class T, class S, class Part, bool Ranked>
__global__ void __launch_bounds__(32 * kSharedWarps, sizeof(T) == 4 ? 4 : 2)
    shared_gradients_kernel(SharedGradients<T, S, Part, Ranked> body) {
    T* sums = reinterpret_cast<T*>(dynamic_shared());
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32,
              width = 2 * body.s.state;
    T* own = sums + warp * width;
    for (int n = lane; n < width; n += 32) own[n] = 0;
    __syncwarp();
    const RowRange rows(body.s.sequences.rows(blockIdx.y), blockIdx.x, gridDim.x);
    for (std::int64_t index = rows.begin + warp; index < rows.end; index += kSharedWarps)
        body.position(blockIdx.y, index, lane,
                      [&](int second, int n, T term) { own[second * body.s.state + n] += term; });
    if (!body.in.b_norm) return;
    __syncthreads();
    for (int n = static_cast<int>(threadIdx.x); n < width; n += 32 * kSharedWarps) {
        T sum = 0;
        for (int w = 0; w < kSharedWarps; ++w) sum += sums[w * width + n];
        body.parts.norms[(std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x) * width + n] = sum;
    }
}

/// Adds the small sums of all sequences to the parameters' gradients, and those of the norms, which all heads share.
/// Grid: (columns, heads and one more, replicas).
template <class T, class S, class Part>
__global__ void add_sums_kernel(StateSpaceShape s, HeadParts<T, Part> parts, std::int64_t norm_parts,
                                StateSpaceViews<T, S> gradient) {
    const SumLayout layout(s);
    const int column = static_cast<int>(blockIdx.x) * kSumColumns + static_cast<int>(threadIdx.x), h = blockIdx.y;
    const std::int64_t r = blockIdx.z;
    const bool norms = h == s.heads;
    const int columns = norms ? 2 * s.state : layout.count();
    const T* const from = norms ? parts.norms + r * norm_parts * columns + column
                                : parts.sums + (r * s.batch * s.heads + h) * columns + column;
    const std::int64_t apart = std::int64_t{columns} * (norms ? 1 : s.heads), count = norms ? norm_parts : s.batch;
    T sum = 0;
    if (column < columns)
        for (std::int64_t i = threadIdx.y; i < count; i += kSumLanes) sum += from[i * apart];
    sum = add_lanes(sum);
    if (threadIdx.y != 0 || column >= columns) return;
    const auto add = [&](const View<T>& to, std::int64_t at) {
        if (to) to.at(r)[at] += sum;
    };
    if (norms) return add(column < s.state ? gradient.b_norm : gradient.c_norm, column % s.state);
    if (column == 0) return add(gradient.dt_bias, h);
    if (column == 1) return add(gradient.d, h);
    if (column == 2) return add(gradient.a_log, h);
    if (column < layout.c_bias()) return add(gradient.b_bias, h * layout.bc + column - layout.b_bias());
    if (column < layout.mimo_x()) return add(gradient.c_bias, h * layout.bc + column - layout.c_bias());
    if (column < layout.mimo_z()) return add(gradient.mimo_x, h * layout.mix + column - layout.mimo_x());
    if (column < layout.mimo_o()) return add(gradient.mimo_z, h * layout.mix + column - layout.mimo_z());
    if (column < layout.norm()) return add(gradient.mimo_o, h * layout.mix + column - layout.mimo_o());
    add(gradient.norm, h * s.headdim + column - layout.norm());
}

template <class T, class S, class Part>
void add_sums(const CudaBackend& backend, const StateSpaceShape& s, const HeadParts<T, Part>& parts,
              std::int64_t norm_parts, const StateSpaceViews<T, S>& gradient) {
    const int columns = std::max(SumLayout(s).count(), gradient.b_norm ? 2 * s.state : 0);
    launch("state_space_backward", add_sums_kernel<T, S, Part>,
           dim3(grid_size(ceil_div(columns, kSumColumns)), grid_size(s.heads + (gradient.b_norm ? 1 : 0)),
                grid_size(s.replicas)),
           dim3(kSumColumns, kSumLanes), 0, backend.stream(), s, parts, norm_parts, gradient);
}

/// Adds what the heads have left.
template <bool Ranked, class T, class S, class Part>
void add_parts(const CudaBackend& backend, const StateSpaceShape& s, const StateSpaceViews<T, S>& in,
               const StateSpaceViews<T, S>& gradient, const HeadParts<T, Part>& parts) {
    const Splits splits = BackwardScratch<T, Part>::splits(s);
    launch("state_space_backward", shared_gradients_kernel<T, S, Part, Ranked>,
           dim3(grid_size(splits.count), grid_size(s.replicas)), dim3(32 * kSharedWarps),
           static_cast<std::size_t>(kSharedWarps * 2 * s.state) * sizeof(T), backend.stream(),
           SharedGradients<T, S, Part, Ranked>{s, in, gradient, parts});
    add_sums(backend, s, parts, splits.count, gradient);
}

/// Whether the kernels of strips have done it.
template <class T, class S>
bool with_strips(const CudaBackend& backend, const StateSpaceShape& s, const Mamba3Tensors& in, const Tensor& d_y,
                 const Mamba3Tensors& gradient, const StateSpaceViews<T, S>& views, const StateSpaceViews<T, S>& to,
                 const HeadParts<T>& parts, const T* saved) {
    if constexpr (sizeof(T) == sizeof(float))
        if (strips_fit_backward(backend.shared_limit(), d_y.dtype, s) && strips_read(in) && strips_read(gradient) &&
            in_groups(d_y, 2)) {
            strips_backward(backend, s, views, view<S>(d_y), to, parts, saved);
            return true;
        }
    return false;
}

}  // namespace

void state_space_backward(const CudaBackend& backend, const StateSpaceShape& s, const Mamba3Tensors& in,
                          const Tensor& d_y, const Mamba3Tensors& gradient, const Tensor& saved,
                          const Tensor& scratch) {
    dispatch_stored(d_y.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        if constexpr (sizeof(T) == sizeof(float))
            if (!strips_take(backend.shared_limit(), d_y.dtype, s) &&
                ranked_takes(backend.shared_limit(), d_y.dtype, s) && ranked_reads(in)) {
                const auto as = [&](auto operand) {
                    const BackwardScratch<T, decltype(operand)> work(scratch.data, backend, s, true);
                    ranked_backward<S>(backend, s, in, d_y, gradient, work.parts, work.d_rows, work.slopes, saved.data);
                    const auto views = state_space_views<T, S>(in), to = state_space_views<T, S>(gradient);
                    add_parts<true>(backend, s, views, to, work.parts);
                };
                if constexpr (sizeof(S) == sizeof(T))
                    if (backend.products() != Products::bf16) return as(T{});
                return as(Bf16{});
            }
        const BackwardScratch<T, T> work(scratch.data, backend, s, false);
        const auto views = views_with_saved<T, S>(s, in, saved);
        const auto to = state_space_views<T, S>(gradient);
        const T* kept = saved.at<T>();
        if (!with_strips<T, S>(backend, s, in, d_y, gradient, views, to, work.parts, kept))
            with_layer_kernel<T>(
                backend, s, backward_size<T>,
                [&]<class Sizes>(auto shared, const LayerShape<Sizes>& shape, const BlockPlan& blocks) {
                    launch("state_space_backward", backward_kernel<T, S, shared(), Sizes>,
                           dim3(grid_size(blocks.blocks)), dim3(kBlockThreads),
                           blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, backend.stream(), shape, views,
                           view<S>(d_y), to, work.parts, kept, blocks.shared ? nullptr : work.outside, blocks.bytes);
                });
        add_parts<false>(backend, s, views, to, work.parts);
    });
}

}  // namespace whorl::gpu
