// The backward pass of one head of one sequence: see state_space.cuh.
#pragma once

#include "gpu/runtime/block_sum.cuh"
#include "gpu/state_space/state_space_scratch.cuh"

namespace whorl::gpu {

template <class T, class S, class Sizes>
struct HeadBackward : HeadBlock<T, S, ScanBackward<T, Sizes>, Sizes> {
    using Base = HeadBlock<T, S, ScanBackward<T, Sizes>, Sizes>;
    using Base::s, Base::in, Base::x, Base::scan, Base::r, Base::first_row, Base::h, Base::at, Base::time;

    BackwardMemory<T, Sizes>& own;
    const StateSpaceViews<T, S>& gradient;
    const HeadParts<T>& parts;
    std::int64_t task;
    View<S> d_out;
    const T* saved;
    T sum_dt_bias = 0, sum_d = 0, sum_a_log = 0;  // each thread's share

    __device__ HeadBackward(const LayerShape<Sizes>& shape, const StateSpaceViews<T, S>& tensors,
                            BackwardMemory<T, Sizes>& memory, const StateSpaceViews<T, S>& to, const HeadParts<T>& left,
                            const View<S>& d_y, const T* saved_of_head, std::int64_t task_index, std::int64_t replica,
                            std::int64_t row, int head)
        : Base{shape, tensors, memory.layer, memory.scan, replica, row, head},
          own(memory),
          gradient(to),
          parts(left),
          task(task_index),
          d_out(d_y),
          saved(saved_of_head) {}

    __device__ __forceinline__ void run() {
        const SumLayout sums(s);
        spread(sums.count(), [&](int i) { own.sums[i] = 0; });
        spread(s.angles, [&](int j) { own.turning[j] = 0; });
        for (int chunk = scan.s.chunks() - 1; chunk >= 0; --chunk) {
            this->fetch(chunk);
            fetch_kept(chunk);
            this->prepare(0);
            gate_backward(sums);
            T *b_rows = part_rows(parts.b), *c_rows = part_rows(parts.c);
            scan.backward(
                chunk > 0, [&](int i, int p, T d) { input_out(i, p, d); },
                [&](int i, int n, T first, T second) { return turned_out<true>(c_rows, i, n, first, second); },
                [&](int i, int n, T first, T second) { return turned_out<false>(b_rows, i, n, first, second); });
            if (s.mimo) input_backward(sums);
            bias_backward(sums);
            if (s.rotation == Rotation::data_dependent) angles_backward();
            coefficients_backward(chunk == 0);
        }
        T* to = parts.sums + task * sums.count();
        leave(to + 0, sum_dt_bias);
        leave(to + 1, sum_d);
        leave(to + 2, sum_a_log);
        spread(sums.count(), [&](int i) {
            if (i >= 3) to[i] = own.sums[i];
        });
    }

private:
    __device__ static void leave(T* to, T sum_of_thread) {
        const T sum = block_sum<kBlockThreads>(sum_of_thread);
        if (threadIdx.x == 0) *to = sum;
    }
    /// Starts the copies of what the forward pass kept, and of d_out.
    __device__ void fetch_kept(int chunk) const {
        const SavedLayout layout(s);
        const T* states = saved + layout.states + std::int64_t{chunk - 1} * s.state * s.headdim;
        const T* phases = saved + layout.phases + (chunk - 1) * s.angles;
        spread(s.angles, [&](int j) { x.phase[j] = chunk > 0 ? phases[j] : T(0); });
        if (chunk > 0) this->fetch_head(s.state, scan.h, states, s.headdim);
        this->fetch_head(scan.m, own.scanned, saved + std::int64_t{scan.begin} * s.rank * s.headdim, s.headdim);
        this->fetch_head(scan.positions, own.d_out, at(d_out, scan.begin) + h * s.headdim, d_out.stride2);
    }

    __device__ T scanned(int i, int p) const { return own.scanned[i * scan.s.p_ld() + p]; }
    /// Gradient of the layer's output, and of one rank's part of it.
    __device__ T slope_of(int i, int p) const { return this->stored_head(own.d_out, s.position_of(i))[p]; }
    __device__ T rank_slope(int i, int p) const {
        return in.mimo_o ? slope_of(i, p) * in.mimo_o.at(r, h, s.rank_of(i))[p] : slope_of(i, p);
    }

    /// x.row_pull: the mean of slope·out along each normed row, which the norm takes off.
    __device__ void gate_pulls() const {
        spread_rows(scan.m, [&](int i, int lane) {
            T sum = 0;
            for (int p = lane; p < s.headdim; p += 32)
                sum += rank_slope(i, p) * this->gated(this->skip(scanned(i, p), i, p), i, p);
            sum = warp_sum(sum) / static_cast<T>(s.headdim);
            if (lane == 0) x.row_pull[i] = sum;
        });
    }
    __device__ GateSlopes<T> gate_slopes(int i, int p) const {
        const bool gate = s.gate.on, norm = this->normed();
        return gpu::gate_slopes(s.gate, this->skip(scanned(i, p), i, p), rank_slope(i, p),
                                gate ? this->gate(i, p) : T(0), norm ? x.row_scale[i] : T(1),
                                norm ? this->norm_weight(p) : T(1), norm ? x.row_pull[i] : T(0));
    }

    /// d_out → d_y of the scan, d_z, and the sums of D, mimo_z, mimo_o, norm.
    __device__ void gate_backward(const SumLayout& sums) {
        if (this->normed()) {
            this->gate_scales([&](int i, int p) { return scanned(i, p); });
            __syncthreads();
            gate_pulls();
            __syncthreads();
        }
        spread(scan.positions, s.headdim, [&](int position, int p) {
            T d_z = 0;
            for (int rank = 0; rank < s.rank; ++rank) {
                const int i = position * s.rank + rank;
                const GateSlopes<T> slopes = gate_slopes(i, p);
                scan.d_y[i * scan.s.p_ld() + p] = slopes.d_skip;
                sum_d += slopes.d_skip * scan.v[i * scan.s.p_ld() + p];
                d_z += in.mimo_z ? slopes.d_gate * in.mimo_z.at(r, h, rank)[p] : slopes.d_gate;
            }
            if (gradient.z) at(gradient.z, time(position))[h * s.headdim + p] = d_z;
        });
        if (in.mimo_o)
            spread(s.rank, s.headdim, [&](int rank, int p) {
                T d_o = 0, d_z = 0;
                for (int i = rank; i < scan.m; i += s.rank) {
                    const GateSlopes<T> slopes = gate_slopes(i, p);
                    d_o += slope_of(i, p) * slopes.out;
                    d_z += slopes.d_gate * this->raw_gate(i, p);
                }
                own.sums[sums.mimo_o() + rank * s.headdim + p] += d_o;
                own.sums[sums.mimo_z() + rank * s.headdim + p] += d_z;
            });
        if (this->normed())
            spread(s.headdim, [&](int p) {
                T d_weight = 0;
                for (int i = 0; i < scan.m; ++i) d_weight += gate_slopes(i, p).d_weight;
                own.sums[sums.norm() + p] += d_weight;
            });
        __syncthreads();
    }

    /// Gradient of v at (row, p) through the scan; with one rank it is that of x but for the skip.
    __device__ void input_out(int i, int p, T d_v) const {
        const T d = d_v + in.d.at(r)[h] * scan.d_y[i * scan.s.p_ld() + p];
        if (s.mimo)
            own.d_v[i * scan.s.p_ld() + p] = d;
        else
            at(gradient.xbc, time(i))[h * s.headdim + p] = d;
    }
    __device__ void input_backward(const SumLayout& sums) const {
        const int p_ld = scan.s.p_ld();
        spread(scan.positions, s.headdim, [&](int position, int p) {
            T sum = 0;
            for (int rank = 0; rank < s.rank; ++rank)
                sum += own.d_v[(position * s.rank + rank) * p_ld + p] * in.mimo_x.at(r, h, rank)[p];
            at(gradient.xbc, time(position))[h * s.headdim + p] = sum;
        });
        spread(s.rank, s.headdim, [&](int rank, int p) {
            T sum = 0;
            for (int i = rank; i < scan.m; i += s.rank)
                sum += own.d_v[i * p_ld + p] * this->stored_head(x.raw_x, s.position_of(i))[p];
            own.sums[sums.mimo_x() + rank * s.headdim + p] += sum;
        });
    }

    /// The chunk's rows of what the heads share.
    __device__ std::int64_t chunk_rows() const { return s.head_rows(r, h) + first_row + scan.begin; }
    __device__ T* part_rows(T* rows) const { return rows + chunk_rows() * s.rank * s.state; }
    /// Gradient of places n, n+1 of row i of Q or K: turned back it is a part of what the heads share, and of the bias;
    /// turned, it turns the angle. First comes Query, then the other by the same thread.
    template <bool Query>
    __device__ __forceinline__ numerics::Pair<T> turned_out(T* rows, int i, int n, T first, T second) const {
        T* part = rows + i * s.state;
        const numerics::Pair<T> turned{first, second};
        numerics::Pair<T> back = turned;
        if (n < 2 * s.angles) {
            const int j = n / 2, ld = this->angle_ld(), turn = s.position_of(i) * ld + j;
            const T* forward = (Query ? scan.q : scan.k) + i * scan.s.n_ld() + n;
            back = numerics::rotate_back(turned, x.cos[turn], x.sin[turn]);
            T* d_phase = own.d_phase + i * ld + j;
            const T slope = numerics::rotate_phase_gradient<T>({forward[0], forward[1]}, turned);
            *d_phase = Query ? slope : *d_phase + slope;
        }
        if (s.neighbours && s.state % 2 == 0) {
            store_vector(part + n, Vector<T, 2>{back.x, back.y});
        } else {
            part[this->channel(n)] = back.x;
            if (n + 1 < s.state) part[this->channel(n + 1)] = back.y;
        }
        return back;
    }

    /// Sums of the biases: their gradient is that of the rows before the rotation.
    __device__ void bias_backward(const SumLayout& sums) const {
        if constexpr (LayerShape<Sizes>::kSingle) {
            const int tiles = scan.tiles_of(scan.m);
            spread(2 * s.state, [&](int column) {
                const bool second = column >= s.state;
                const int place = second ? column - s.state : column;
                const T* from = (second ? scan.d_q_columns : scan.d_k_columns) + place;
                T sum = 0;
                for (int tile = 0; tile < tiles; ++tile) sum += from[tile * s.state];
                own.sums[(second ? sums.c_bias() : sums.b_bias()) + this->channel(place)] += sum;
            });
        } else {  // from the parts just written
            if (in.b_bias) add_bias(parts.b, own.sums + sums.b_bias());
            if (in.c_bias) add_bias(parts.c, own.sums + sums.c_bias());
        }
    }
    __device__ void add_bias(const T* rows, T* sums) const {
        const T* first = part_rows(const_cast<T*>(rows));
        const int width = s.rank * s.state, lanes = most_of(kBlockThreads / width, 1);  // of a column
        spread(lanes * width, [&](int index) {
            const int column = index % width;
            T sum = 0;
#pragma unroll 4
            for (int i = index / width; i < scan.positions; i += lanes) sum += first[i * width + column];
            own.lane_sums[index] = sum;
        });
        __syncthreads();
        spread(width, [&](int column) {
            for (int lane = 0; lane < lanes; ++lane) sums[column] += own.lane_sums[lane * width + column];
        });
        __syncthreads();
    }

    /// A position's step turns all later ones: θ's gradient as a part of what the heads share, and Δ's.
    __device__ void angles_backward() const {
        turn_sums();
        __syncthreads();
        T* to = parts.theta + chunk_rows() * s.angles;
        spread_groups(scan.positions, [&](int i, int lane) {
            T d_dt = 0;
            if (i >= 0) {
                const T* velocity = at(in.velocity, time(i));
                for (int j = lane; j < s.angles; j += kGroupLanes) {
                    const T turning = turn_sum(i, j);
                    to[i * s.angles + j] = x.dt[i] * turning;
                    d_dt += velocity[j] * turning;
                }
            }
            d_dt = group_sum(d_dt);
            if (i >= 0 && lane == 0) own.d_dt[i] = d_dt;
        });
    }
    __device__ T& turn_sum(int i, int j) const {
        return own.d_phase[i * s.rank * this->angle_ld() + j];
    }
    /// d_phase: from the phases' gradients to their sums over all later positions, of each angle by a warp.
    __device__ void turn_sums() const {
        const int ld = this->angle_ld(), lane = static_cast<int>(threadIdx.x) % 32;
        for (int j = static_cast<int>(threadIdx.x) / 32; j < s.angles; j += kBlockThreads / 32) {
            T behind = own.turning[j];
            for (int base = (scan.positions - 1) / 32 * 32; base >= 0; base -= 32) {
                const int i = base + lane;
                T sum = 0;
                if (i < scan.positions)
                    for (int rank = 0; rank < s.rank; ++rank) sum += own.d_phase[(i * s.rank + rank) * ld + j];
                sum = behind + sum_from_lane(sum);
                __syncwarp();
                if (i < scan.positions) turn_sum(i, j) = sum;
                behind = __shfl_sync(0xffffffffU, sum, 0);
            }
            __syncwarp();
            if (lane == 0) own.turning[j] = behind;
        }
    }
    /// The first position of a chunk lacks b's gradient, which the chunk before it knows: it waits in `pending`.
    __device__ void coefficients_backward(bool first) {
        __syncthreads();
        const int behind = scan.positions;
        if (threadIdx.x == 0) {
            if (!scan.last()) {
                scan.d_log_decay[behind] = own.pending[0];
                scan.d_gamma[behind] = own.pending[1];
                own.d_dt[behind] = own.pending[2];
            }
            own.pending[0] = scan.d_log_decay[0];
            own.pending[1] = scan.d_gamma[0];
            own.pending[2] = own.d_dt[0];
            scan.d_carry[0] = 0;
        }
        __syncthreads();
        const int begin = first ? 0 : 1, end = scan.last() ? behind : behind + 1;
        spread(end - begin, [&](int i) { coefficient_backward(begin + i); });
        __syncthreads();
    }
    __device__ void coefficient_backward(int i) {
        const auto sums =
            step_backward(s, gradient, r, first_row + time(i), h, raw_step(s, in, r, first_row + time(i), h),
                          Step<T>{x.dt[i], x.a[i], x.lambda[i]},
                          numerics::ScanCoefficients<T>{scan.d_log_decay[i], scan.d_carry[i], scan.d_gamma[i]},
                          s.rotation == Rotation::data_dependent ? own.d_dt[i] : T(0));
        sum_dt_bias += sums.x;
        sum_a_log += sums.y;
    }
};

}  // namespace whorl::gpu
