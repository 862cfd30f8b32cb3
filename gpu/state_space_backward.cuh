// The backward pass of one head of one sequence: see state_space.cuh.
#pragma once

#include "gpu/state_space_block.cuh"

namespace whorl::gpu {

/// What the heads of a sequence leave for the kernels that add them.
template <class T>
struct HeadParts {
    T *b, *c;  // [task, L, rank, N]: gradients of the normed rows, in the order of the projection
    T* theta;  // [task, L, S]
    T* sums;   // [task, SumLayout]
};

/// What one channel of one row of skip, norm and gate passes back.
template <class T>
struct GateSlopes {
    T out, d_skip, d_gate, d_weight;
};

template <class T>
struct HeadBackward : HeadBlock<T, ScanBackward<T>> {
    using Base = HeadBlock<T, ScanBackward<T>>;
    using Base::s, Base::in, Base::x, Base::scan, Base::r, Base::b, Base::h, Base::at, Base::time;

    BackwardMemory<T>& own;
    const StateSpaceViews<T>& gradient;
    const HeadParts<T>& parts;
    std::int64_t task;
    View<T> d_out;
    const T* saved;
    T sum_dt_bias = 0, sum_d = 0, sum_a_log = 0;  // each thread's share

    __device__ HeadBackward(const StateSpaceShape& shape, const StateSpaceViews<T>& tensors, BackwardMemory<T>& memory,
                            const StateSpaceViews<T>& to, const HeadParts<T>& left, const View<T>& d_y,
                            const T* saved_of_head, std::int64_t task_index, std::int64_t replica,
                            std::int64_t sequence, int head)
        : Base{shape, tensors, memory.layer, memory.scan, replica, sequence, head},
          own(memory),
          gradient(to),
          parts(left),
          task(task_index),
          d_out(d_y),
          saved(saved_of_head) {}

    __device__ void run() {
        const SumLayout sums(s);
        spread(sums.count(), [&](int i) { own.sums[i] = 0; });
        spread(s.angles, [&](int j) { own.turning[j] = 0; });
        for (int chunk = scan.s.chunks() - 1; chunk >= 0; --chunk) {
            this->fetch(chunk);
            fetch_kept(chunk);
            this->prepare(0);
            gate_backward(sums);
            scan.backward(chunk > 0);
            input_backward(sums);
            rotation_backward(sums);
            coefficients_backward(chunk == 0);
        }
        const T dt_bias = sum_over_block(sum_dt_bias), d = sum_over_block(sum_d), a_log = sum_over_block(sum_a_log);
        T* to = parts.sums + task * sums.count();
        spread(sums.count(), [&](int i) { to[i] = i == 0 ? dt_bias : i == 1 ? d : i == 2 ? a_log : own.sums[i]; });
    }

private:
    /// Starts the copies of what the forward pass kept, and of d_out.
    __device__ void fetch_kept(int chunk) const {
        const SavedLayout layout(s);
        const T* states = saved + layout.states + std::int64_t{chunk - 1} * s.state * s.headdim;
        const T* phases = saved + layout.phases + (chunk - 1) * s.angles;
        spread(s.angles, [&](int j) { x.phase[j] = chunk > 0 ? phases[j] : T(0); });
        if (chunk > 0) copy_rows<T>(s.state, s.headdim, scan.h, scan.p_ld(), states, s.headdim);
        copy_rows<T>(scan.m, s.headdim, own.scanned, scan.p_ld(), saved + std::int64_t{scan.begin} * s.rank * s.headdim,
                     s.headdim);
        copy_rows<T>(scan.positions, s.headdim, own.d_out, scan.p_ld(), at(d_out, scan.begin) + h * s.headdim,
                     d_out.stride2);
    }

    __device__ T scanned(int i, int p) const { return own.scanned[i * scan.p_ld() + p]; }
    /// Gradient of the layer's output, and of one rank's part of it.
    __device__ T slope_of(int i, int p) const { return own.d_out[s.position_of(i) * scan.p_ld() + p]; }
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
        const T skip = this->skip(scanned(i, p), i, p), d = rank_slope(i, p);
        if (s.gating == Gating::none) return {skip, d, T(0), T(0)};
        const T z = this->gate(i, p), silu = numerics::silu(z), slope = numerics::silu_derivative(z);
        if (s.gating == Gating::plain) return {skip * silu, d * silu, d * skip * slope, T(0)};
        const T scale = x.row_scale[i], weight = this->norm_weight(p), pull = x.row_pull[i];
        const T out = skip * silu * scale;
        if (s.gating == Gating::norm_first)
            return {out * weight, scale * (d * silu * weight - skip * scale * pull), d * skip * scale * weight * slope,
                    d * out};
        const T d_gated = scale * (d * weight - out * pull);
        return {out * weight, d_gated * silu, d_gated * skip * slope, d * out};
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
                scan.d_y[i * scan.p_ld() + p] = slopes.d_skip;
                sum_d += slopes.d_skip * scan.v[i * scan.p_ld() + p];
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

    /// Gradient of v at row i, through the scan and the skip.
    __device__ T d_input(int i, int p) const {
        return scan.d_v[i * scan.p_ld() + p] + in.d.at(r)[h] * scan.d_y[i * scan.p_ld() + p];
    }
    __device__ void input_backward(const SumLayout& sums) const {
        spread(scan.positions, s.headdim, [&](int position, int p) {
            T sum = 0;
            for (int rank = 0; rank < s.rank; ++rank) {
                const T d = d_input(position * s.rank + rank, p);
                sum += in.mimo_x ? d * in.mimo_x.at(r, h, rank)[p] : d;
            }
            at(gradient.xbc, time(position))[h * s.headdim + p] = sum;
        });
        if (in.mimo_x)
            spread(s.rank, s.headdim, [&](int rank, int p) {
                T sum = 0;
                for (int i = rank; i < scan.m; i += s.rank)
                    sum += d_input(i, p) * x.raw_x[s.position_of(i) * scan.p_ld() + p];
                own.sums[sums.mimo_x() + rank * s.headdim + p] += sum;
            });
    }

    /// Turns d_k, d_q back and leaves them as parts; sums of the biases; the angles' gradients.
    __device__ void rotation_backward(const SumLayout& sums) const {
        const int n = s.angles;
        spread(scan.positions, n, [&](int position, int j) {
            T d_phase = 0;
            for (int rank = 0; rank < s.rank; ++rank) {
                const int row = (position * s.rank + rank) * scan.n_ld();
                d_phase += turn_back(scan.k + row, scan.d_k + row, position, j);
                d_phase += turn_back(scan.q + row, scan.d_q + row, position, j);
            }
            own.d_phase[position * n + j] = d_phase;
        });
        __syncthreads();
        const std::int64_t first = (task * s.length + scan.begin) * s.rank;
        spread(scan.m, s.state, [&](int i, int c) {
            const std::int64_t to = (first + i) * s.state + c;
            parts.b[to] = scan.d_k[i * scan.n_ld() + c];
            parts.c[to] = scan.d_q[i * scan.n_ld() + c];
        });
        if (in.b_bias) add_bias(scan.d_k, own.sums + sums.b_bias());
        if (in.c_bias) add_bias(scan.d_q, own.sums + sums.c_bias());
        if (s.turning == Turning::data) phases_backward();
    }
    /// Returns d/dφ of pair j.
    __device__ T turn_back(const T* turned, T* d, int position, int j) const {
        const int n = s.angles, first = this->pair_first(j), second = this->pair_second(j);
        const numerics::Pair<T> slope{d[first], d[second]};
        const auto back = numerics::rotate_back(slope, x.cos[position * n + j], x.sin[position * n + j]);
        d[first] = back.x;
        d[second] = back.y;
        return numerics::rotate_phase_gradient<T>({turned[first], turned[second]}, slope);
    }
    __device__ void add_bias(const T* d_rows, T* sums) const {
        spread(s.rank, s.state, [&](int rank, int c) {
            T sum = 0;
            for (int i = rank; i < scan.m; i += s.rank) sum += d_rows[i * scan.n_ld() + c];
            sums[rank * s.state + c] += sum;
        });
    }
    /// A position's step turns all later ones.
    __device__ void phases_backward() const {
        const int n = s.angles;
        spread(n, [&](int j) {
            T turning = own.turning[j];
            for (int i = scan.positions - 1; i >= 0; --i) {
                own.d_phase[i * n + j] = turning += own.d_phase[i * n + j];
                parts.theta[(task * s.length + time(i)) * n + j] = x.dt[i] * turning;
            }
            own.turning[j] = turning;
        });
        __syncthreads();
        spread_rows(scan.positions, [&](int i, int lane) {
            T sum = 0;
            for (int j = lane; j < n; j += 32) sum += x.theta[i * n + j] * own.d_phase[i * n + j];
            sum = warp_sum(sum);
            if (lane == 0) own.d_dt[i] = sum;
        });
    }

    /// The first position of a chunk lacks b's gradient, which the chunk before it knows: it waits in `pending`.
    __device__ void coefficients_backward(bool first) {
        __syncthreads();
        const int behind = scan.positions;
        if (threadIdx.x == 0 && !scan.last()) {
            scan.d_log_decay[behind] = own.pending[0];
            scan.d_gamma[behind] = own.pending[1];
            own.d_dt[behind] = own.pending[2];
        }
        __syncthreads();
        if (threadIdx.x == 0) {
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
        const int t = time(i);
        auto d = numerics::exp_trapezoid_scan_backward(
            x.dt[i], x.a[i], x.lambda[i],
            numerics::ScanCoefficients<T>{scan.d_log_decay[i], scan.d_carry[i], scan.d_gamma[i]});
        if (s.turning == Turning::data) d.dt += own.d_dt[i];
        const T d_ddt = d.dt * numerics::sigmoid(at(in.ddt, t)[h] + in.dt_bias.at(r)[h]);
        at(gradient.ddt, t)[h] = d_ddt;
        sum_dt_bias += d_ddt;
        T d_da = 0;
        if (in.a_log) {
            sum_a_log += d.a * x.a[i];
        } else if (-x.a[i] > static_cast<T>(s.a_floor)) {
            const T raw = at(in.da, t)[h];
            d_da = -d.a * (s.heavy_tail ? numerics::heavy_tail_derivative(raw) : numerics::sigmoid(raw));
        }
        if (gradient.da) at(gradient.da, t)[h] = d_da;
        if (gradient.u)
            at(gradient.u, t)[h] = s.learned_weight ? d.lambda * numerics::sigmoid_derivative(at(in.u, t)[h]) : T(0);
    }
};

}  // namespace whorl::gpu
