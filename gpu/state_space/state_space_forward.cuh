// The forward pass of one head of one sequence: see state_space.cuh.
#pragma once

#include "gpu/state_space/state_space_block.cuh"

namespace whorl::gpu {

template <class T, class S, class Sizes>
struct HeadForward : HeadBlock<T, S, ScanForward<T, Sizes>, Sizes> {
    using Base = HeadBlock<T, S, ScanForward<T, Sizes>, Sizes>;
    using Base::s, Base::in, Base::x, Base::scan, Base::r, Base::h, Base::at, Base::time;

    /// saved: of this head; state: of this head or null. Without a state the sequence starts from nothing.
    __device__ __forceinline__ void run(const View<S>& y, T* state, std::int64_t position, T* saved) {
        const SavedLayout layout(s);
        spread(s.angles, [&](int j) { x.phase[j] = state ? state[j] : T(0); });
        for (int chunk = 0; chunk < scan.s.chunks(); ++chunk) {
            const bool with_state = chunk > 0 || state;
            if (chunk > 0 && !state) save_entry(saved, layout, chunk);
            this->fetch(chunk);
            this->prepare(position);
            if (chunk == 0 && state) load_state(state);
            const bool goes_on = !scan.last() || state;
            scan.outputs(with_state);
            write_rows(y, state ? nullptr : saved, state, goes_on);
            __syncthreads();
            if (goes_on) scan.advance(with_state);
        }
        if (state) store_state(state);
    }

private:
    __device__ T* carried_h(T* state) const { return state + (s.carries_input ? s.angles : 0); }
    __device__ T* carried_k(T* state) const { return carried_h(state) + s.state * s.headdim; }
    __device__ T* carried_v(T* state) const { return carried_k(state) + s.rank * s.state; }

    __device__ void save_entry(T* saved, const SavedLayout& layout, int chunk) const {
        T* states = saved + layout.states + std::int64_t{chunk - 1} * s.state * s.headdim;
        spread(s.state, s.headdim, [&](int n, int p) { states[n * s.headdim + p] = scan.h[n * scan.s.p_ld() + p]; });
        T* phases = saved + layout.phases + (chunk - 1) * s.angles;
        spread(s.angles, [&](int j) { phases[j] = x.phase[j]; });
    }

    /// h and what b_0 adds to it: the outer product of the last inputs, which the trapezoid still owes.
    __device__ void load_state(T* state) const {
        const T *from = carried_h(state), *k = carried_k(state), *v = carried_v(state);
        const T carry = scan.carry[0];
        spread(s.state, s.headdim, [&](int place, int p) {
            const int n = this->channel(place);
            T value = from[n * s.headdim + p];
            if (s.carries_input)
                for (int rank = 0; rank < s.rank; ++rank)
                    value += carry * k[rank * s.state + n] * v[rank * s.headdim + p];
            scan.h[place * scan.s.p_ld() + p] = value;
        });
        __syncthreads();
    }
    __device__ void store_state(T* state) const {
        T* to = carried_h(state);
        spread(s.state, s.headdim,
               [&](int place, int p) { to[this->channel(place) * s.headdim + p] = scan.h[place * scan.s.p_ld() + p]; });
        if (!s.carries_input) return;
        const int last = scan.m - s.rank;
        spread(s.angles, [&](int j) { state[j] = x.phase[j]; });
        spread(s.rank, s.state, [&](int rank, int place) {
            carried_k(state)[rank * s.state + this->channel(place)] = scan.k[(last + rank) * scan.s.n_ld() + place];
        });
    }

    /// Leaves the scan's inputs weighed where it goes on, and those of the last position in the state.
    __device__ void write_rows(const View<S>& y, T* saved, T* state, bool goes_on) const {
        const int p_ld = scan.s.p_ld();
        const auto scanned = [&](int i, int p) { return scan.y[i * p_ld + p]; };
        if (this->normed()) {
            this->gate_scales(scanned);
            __syncthreads();
        }
        spread(scan.positions, s.headdim, [&](int position, int p) {
            T sum = 0;
            for (int rank = 0; rank < s.rank; ++rank) {
                const int i = position * s.rank + rank;
                const T out = this->gated(this->skip(scanned(i, p), i, p), i, p);
                sum += in.mimo_o ? out * in.mimo_o.at(r, h, rank)[p] : out;
                if (saved) saved[(std::int64_t{time(position)} * s.rank + rank) * s.headdim + p] = scanned(i, p);
                if (state && s.carries_input && time(position) + 1 == scan.s.length)
                    carried_v(state)[rank * s.headdim + p] = scan.v[i * p_ld + p];
                if (goes_on) scan.weigh_input(i, p);
            }
            at(y, time(position))[h * s.headdim + p] = sum;
        });
    }
};

}  // namespace whorl::gpu
