#include "core/trace/trace_file.hpp"

#include <fmt/format.h>

#include "core/config/model_config_io.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/safetensors.hpp"

namespace whorl {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

// --- safetensors -----------------------------------------------------------------------------------------------------

bool counts_from_zero(const std::vector<std::int64_t>& labels) {
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (labels[i] != static_cast<std::int64_t>(i)) return false;
    return true;
}

Value axes_value(const TraceQuantity& quantity) {
    Array axes;
    for (const TraceAxis& axis : quantity.axes) {
        Table table = {{"name", {axis.name}}};
        if (!counts_from_zero(axis.labels)) {
            Array labels;
            for (const std::int64_t label : axis.labels) labels.push_back({label});
            table.push_back({"labels", {std::move(labels)}});
        }
        axes.push_back({std::move(table)});
    }
    return {std::move(axes)};
}

// --- CSV -------------------------------------------------------------------------------------------------------------

class CsvWriter {
public:
    explicit CsvWriter(const std::string& path) : file_(path) {}

    /// `layer` as it is to stand in its column.
    void quantity(const std::string& layer, const TraceQuantity& quantity) {
        std::vector<std::size_t> at(quantity.axes.size(), 0);
        for (const double value : quantity.values) {
            const Place place = place_of(quantity, at);
            line("{},{},{},{},{},{}\n", layer, place.head, place.position, quantity.name, place.index, value);
            for (std::size_t axis = at.size(); axis-- > 0;) {
                if (++at[axis] < quantity.axes[axis].labels.size()) break;
                at[axis] = 0;
            }
        }
    }
    template <class... Values>
    void line(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
        if (text_.size() >= kFlushBytes) flush();
    }
    void commit() {
        flush();
        file_.commit();
    }

private:
    struct Place {
        std::string head, index;
        std::int64_t position = 0;
    };
    static Place place_of(const TraceQuantity& quantity, const std::vector<std::size_t>& at) {
        Place place;
        for (std::size_t axis = 0; axis < at.size(); ++axis) {
            const std::int64_t label = quantity.axes[axis].labels[at[axis]];
            if (quantity.axes[axis].name == "position")
                place.position = label;
            else if (quantity.axes[axis].name == "head")
                place.head = std::to_string(label);
            else
                place.index += (place.index.empty() ? "" : ":") + std::to_string(label);
        }
        return place;
    }
    void flush() {
        file_.write(text_);
        text_.clear();
    }

    AtomicFile file_;
    std::string text_;
};

}  // namespace

void write_trace_safetensors(const std::string& path, const Trace& trace) {
    std::vector<TensorView> tensors = {
        tensor_view<std::int32_t>("tokens", {static_cast<std::int64_t>(trace.tokens.size())}, trace.tokens)};
    Table axes = {{"tokens", {Array{{Table{{"name", {std::string("position")}}}}}}}};
    const auto add = [&](const std::string& name, const TraceQuantity& quantity) {
        tensors.push_back(tensor_view<double>(name, quantity.shape(), quantity.values));
        axes.push_back({name, axes_value(quantity)});
    };
    add("logits", trace.logits);
    for (const TraceLayer& layer : trace.layers)
        for (const TraceQuantity& quantity : layer.quantities)
            add("layers." + std::to_string(layer.layer) + "." + quantity.name, quantity);
    write_safetensors(
        path, tensors,
        {{"format", "whorl-trace-1"}, {"config", to_json(trace.config)}, {"axes", write_json({std::move(axes)})}});
}

void write_trace_csv(const std::string& path, const Trace& trace) {
    CsvWriter csv(path);
    csv.line("layer,head,position,quantity,index,value\n");
    for (std::size_t t = 0; t < trace.tokens.size(); ++t) csv.line(",,{},token,,{}\n", t, trace.tokens[t]);
    for (const TraceLayer& layer : trace.layers)
        for (const TraceQuantity& quantity : layer.quantities) csv.quantity(std::to_string(layer.layer), quantity);
    csv.quantity("", trace.logits);
    csv.commit();
}

}  // namespace whorl
