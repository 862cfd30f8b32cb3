// The projections of a model, each as a product of its own: y = x Wᵀ, and with both gradients.
#include "app/bench/random_inputs.hpp"
#include "app/bench/request.hpp"
#include "core/model/parameter_layout.hpp"
#include "core/model/registry.hpp"

namespace whorl {
namespace {

struct Product {
    Tensor x, weight, y, d_x, d_y, d_weight, scratch;
    void plan(Arena& arena, Backend& backend, const BenchSizes& s, std::int64_t out, std::int64_t in) {
        const auto rows = [&](std::int64_t features) {
            return arena.activation({s.replicas, s.batch, s.length, features}, backend.stored(DType::f32));
        };
        x = rows(in), y = rows(out), d_x = rows(in), d_y = rows(out);
        for (Tensor* w : {&weight, &d_weight}) {
            *w = arena.bytes(s.replicas * out * in * 4);
            w->shape = {s.replicas, 1, out, in};
            w->stride = {out * in, out * in, in, 1};
        }
        scratch = arena.bytes(backend.linear_memory(x, weight).scratch);
    }
};

struct Projection {
    std::string name;
    std::int64_t out, in, end;  // end: where it ends in the slice
};

/// Matrices that multiply activations. Those that follow one another without a gap are one product.
std::vector<Projection> projections(const ParameterLayout& layout) {
    std::vector<Projection> list;
    for (const ParameterInfo& p : layout.parameters()) {
        const std::size_t end = p.name.find("_proj.weight");
        if (p.shape.size() != 2 || end == std::string::npos) continue;
        const std::size_t begin = p.name.rfind('.', end) + 1;
        if (!list.empty() && list.back().end == p.offset && list.back().in == p.shape[1]) {
            list.back().out += p.shape[0];
            list.back().end += p.count;
        } else {
            list.push_back({p.name.substr(begin, end + 5 - begin), p.shape[0], p.shape[1], p.offset + p.count});
        }
    }
    return list;
}

void add_product(const BenchRequest& request, const std::string& name, std::int64_t out, std::int64_t in,
                 BenchReport& report) {
    const BenchSizes& s = request.sizes;
    Product product;
    Arena measure;
    product.plan(measure, request.backend, s, out, in);
    const Buffer memory = request.backend.allocate(measure.used());
    fill_random(request.backend, memory, 1);
    Arena arena(memory.data(), request.backend.device());
    product.plan(arena, request.backend, s, out, in);
    const double rows = static_cast<double>(s.replicas * s.batch * s.length), o = static_cast<double>(out),
                 i = static_cast<double>(in), weights = static_cast<double>(s.replicas) * o * i;
    const auto forward = [&](std::int64_t) { request.backend.linear_forward(product.x, product.weight, product.y); };
    const auto both = [&](std::int64_t call) {
        forward(call);
        request.backend.linear_backward(product.x, product.weight, product.d_y, product.d_x, product.d_weight,
                                        product.scratch);
    };
    const auto stored = static_cast<double>(size_of(product.x.dtype));
    const std::string label = name + " " + std::to_string(in) + " to " + std::to_string(out);
    add_row(report, make_row(label + " forward", s, time_recorded(request.backend, request.seconds, 1, forward),
                             {rows, 2 * rows * o * i, stored * rows * (o + i) + 4 * weights}));
    add_row(report, make_row(label + " forward+backward", s, time_recorded(request.backend, request.seconds, 1, both),
                             {rows, 6 * rows * o * i, stored * rows * (3 * o + 3 * i) + 16 * weights}));
}

}  // namespace

void bench_gemm(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) {
        PresetSize size;
        size.d_model = request.sizes.d_model;
        size.headdim = request.sizes.headdim;
        size.d_state = request.sizes.d_state;
        size.vocab_size = request.sizes.vocab_size;
        const ModelConfig config = model_preset(model).make(size);
        validate(config, "whorl bench");
        for (const Projection& p : projections(ParameterLayout(config)))
            add_product(request, model + " " + p.name, p.out, p.in, report);
    }
}

}  // namespace whorl
