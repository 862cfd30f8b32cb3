#include "app/bench/request.hpp"

#include "core/model/piece_reader.hpp"
#include "core/model/registry.hpp"

namespace whorl {
namespace {

void fit(Mamba3Config& layer, const BenchSizes& s) {
    layer.expand = s.heads;  // times d_model = headdim: so many heads
    if (layer.mimo) layer.mimo_rank = s.rank;
}
void fit(Mamba2Config& layer, const BenchSizes& s) {
    layer.expand = s.heads;
}
void fit(GatedDeltaNetConfig& layer, const BenchSizes& s) {
    layer.num_heads = s.heads;
    layer.num_v_heads.reset();
    layer.head_dim = s.d_state;
    layer.expand_v = static_cast<double>(s.headdim) / static_cast<double>(s.d_state);
}
void fit(AttentionConfig& layer, const BenchSizes& s) {
    layer.num_heads = s.heads;
    layer.head_dim = s.headdim;
}

}  // namespace

const std::vector<Benchmark>& benchmarks() {
    static const std::vector<std::string> all = {"mamba3", "mamba2", "gdn", "transformer"},
                                          recurrent = {"mamba3", "mamba3-mimo", "mamba2", "gdn"},
                                          sequence = {"mamba3", "mamba3-mimo", "mamba2", "gdn", "transformer"};
    static const std::vector<Benchmark> list = [] {
        BenchSizes train, decode, read, layer, update, gemm;
        train.replicas = decode.replicas = layer.replicas = update.replicas = gemm.replicas = 1;
        train.batch = gemm.batch = 64;
        train.length = decode.length = gemm.length = 40;
        train.d_model = decode.d_model = gemm.d_model = train.headdim = decode.headdim = gemm.headdim = 32;
        train.d_state = decode.d_state = gemm.d_state = 64;
        train.n_layer = decode.n_layer = 1;
        train.vocab_size = decode.vocab_size = gemm.vocab_size = 16;
        decode.batch = 1;
        read = decode;
        read.length = 300000, read.d_model = 64, read.n_layer = 2;
        read.piece = default_piece(Device::cuda);
        layer.batch = 8, layer.length = 2048, layer.heads = 32, layer.headdim = 64, layer.d_state = 128, layer.rank = 4;
        update.batch = 128, update.heads = update.headdim = 64, update.d_state = 128, update.rank = 4;
        BenchSizes cpu_read = read, cpu_layer = layer, cpu_update = update;
        cpu_read.piece = default_piece(Device::cpu);
        cpu_layer.batch = 4, cpu_layer.length = 256, cpu_layer.heads = 4;
        cpu_update.heads = 16;
        return std::vector<Benchmark>{
            {"train", "the training step: forward, loss at every position, backward, clipping, AdamW", all, train,
             train, bench_train},
            {"decode", "one token of the whole model with carried state", all, decode, decode, bench_decode},
            {"read", "a long sequence through the whole model, piece by piece, of which the last answer is asked for",
             recurrent, read, cpu_read, bench_read},
            {"sequence", "the mixer's operation alone on random inputs: forward, and forward + backward", sequence,
             layer, cpu_layer, bench_sequence},
            {"update", "the mixer's operation for one token, its state read and written", recurrent, update, cpu_update,
             bench_update},
            {"rule", "recurrent and chunked forms, chunk by chunk length, beside what `automatic` picks", recurrent,
             layer, cpu_layer, bench_rule},
            {"gemm", "a model's projections, forward and forward + backward", all, gemm, gemm, bench_gemm},
            {"limits",
             "nothing but the machine's limits, which every benchmark measures",
             {},
             {},
             {},
             [](const BenchRequest&, BenchReport&) {}},
        };
    }();
    return list;
}

ModelConfig layer_of(const std::string& preset, const BenchSizes& sizes) {
    PresetSize size;
    size.d_model = size.headdim = sizes.headdim;
    size.d_state = sizes.d_state;
    ModelConfig config = model_preset(preset).make(size);
    config.layers.resize(1);
    config.n_layer = 1;
    std::visit([&](auto& layer) { fit(layer, sizes); }, config.layers[0]);
    validate(config, "whorl bench");
    return config;
}

BenchSizes sizes_of_layer(const ModelConfig& config, const BenchSizes& sizes) {
    BenchSizes own = sizes;
    const auto* mamba3 = std::get_if<Mamba3Config>(&config.layers[0]);
    if (!mamba3 || !mamba3->mimo) own.rank = 0;
    if (std::holds_alternative<AttentionConfig>(config.layers[0])) own.d_state = 0;
    return own;
}

}  // namespace whorl
