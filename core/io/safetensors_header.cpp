#include "core/io/safetensors_header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

// A hostile header may be 100 MB: what it can make the reader allocate is bounded by a small multiple of its length.
constexpr std::size_t kMaxDimensions = 16;
constexpr std::size_t kMaxMetadataEntries = 10000;

// Accepts exactly the shape { name: {dtype: string, shape: [n…], data_offsets: [n, n]}, "__metadata__": {string:
// string} or null } (null: none, as the format's own reader takes it) and stops at the first event that does not fit,
// so that no foreign tree is ever built.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit HeaderReader(const std::string& path) : path_(path) {}

    SafetensorsHeader take() { return std::move(header_); }

    bool null() override {
        if (in_ == In::top && key_ == "__metadata__") return true;
        unexpected("null");
    }
    bool boolean(bool) override { unexpected("true or false"); }
    bool number_integer(number_integer_t value) override { stop("negative number " + std::to_string(value)); }
    bool number_float(number_float_t, const string_t& text) override {
        stop("number " + in_quotes(text) + " is no integer in range");
    }
    bool binary(binary_t&) override { unexpected("binary data"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (in_ == In::shape) {
            if (value > static_cast<number_unsigned_t>(INT64_MAX))
                stop("dimension " + std::to_string(value) + " is too large");
            if (tensor().shape.size() == kMaxDimensions)
                stop("has more than " + std::to_string(kMaxDimensions) + " dimensions");
            tensor().shape.push_back(static_cast<std::int64_t>(value));
        } else if (in_ == In::offsets) {
            if (offsets_ == 2) stop("data_offsets has more than two numbers");
            (offsets_++ == 0 ? tensor().begin : tensor().end) = value;
        } else {
            unexpected("a number");
        }
        return true;
    }

    bool string(string_t& text) override {
        if (in_ == In::metadata)
            header_.metadata.emplace(std::move(key_), std::move(text));
        else if (in_ == In::tensor && key_ == "dtype")
            set_type(text);
        else
            unexpected("a string");
        return true;
    }

    bool start_object(std::size_t) override {
        if (in_ == In::nothing)
            in_ = In::top;
        else if (in_ == In::top)
            in_ = key_ == "__metadata__" ? In::metadata : In::tensor;
        else
            unexpected("an object");
        if (in_ == In::tensor) begin_tensor();
        return true;
    }

    bool end_object() override {
        if (in_ == In::tensor) end_tensor();
        in_ = In::top;  // what follows the outermost object is the parser's to refuse
        return true;
    }

    bool start_array(std::size_t) override {
        if (in_ == In::tensor && key_ == "shape")
            in_ = In::shape;
        else if (in_ == In::tensor && key_ == "data_offsets")
            in_ = In::offsets;
        else
            unexpected("an array");
        return true;
    }

    bool end_array() override {
        if (in_ == In::offsets && offsets_ != 2) stop("data_offsets has fewer than two numbers");
        in_ = In::tensor;
        return true;
    }

    bool key(string_t& key) override {
        key_ = std::move(key);
        if (in_ == In::top) check_top_key();
        if (in_ == In::metadata) check_metadata_key();
        if (in_ == In::tensor) check_tensor_key();
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
        refuse_file(path_, "the header is not valid JSON at byte " + std::to_string(position));
    }

private:
    enum class In { nothing, top, metadata, tensor, shape, offsets };

    StoredTensor& tensor() { return header_.tensors.back(); }

    // Fails, naming the tensor that is being read.
    [[noreturn]] void stop(const std::string& what) {
        const bool in_tensor = in_ == In::tensor || in_ == In::shape || in_ == In::offsets;
        refuse_file(path_, (in_tensor ? "tensor " + in_quotes(tensor().name) + ": " : "the header: ") + what);
    }

    [[noreturn]] void unexpected(const std::string& found) {
        const std::string at = key_.empty() ? "" : " at key " + in_quotes(key_);
        switch (in_) {
            case In::nothing:
                stop("expected a JSON object, found " + found);
            case In::top:
                stop("expected an object" + at + ", found " + found);
            case In::metadata:
                stop("__metadata__ maps strings to strings" + at + ", found " + found);
            case In::tensor:
                stop("unexpected " + found + at);
            case In::shape:
                stop("shape holds integers, found " + found);
            case In::offsets:
                stop("data_offsets holds integers, found " + found);
        }
        stop("unexpected " + found);
    }

    void check_top_key() {
        if (!names_.insert(key_).second) stop("duplicate name " + in_quotes(key_));
    }

    void check_metadata_key() {
        if (header_.metadata.count(key_) > 0) stop("duplicate key " + in_quotes(key_) + " in __metadata__");
        if (header_.metadata.size() == kMaxMetadataEntries)
            stop("__metadata__ has more than " + std::to_string(kMaxMetadataEntries) + " entries");
    }

    void check_tensor_key() {
        bool& seen = key_ == "dtype" ? has_type_ : key_ == "shape" ? has_shape_ : has_offsets_;
        if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") stop("unknown key " + in_quotes(key_));
        if (seen) stop("duplicate key " + in_quotes(key_));
        seen = true;
    }

    void begin_tensor() {
        header_.tensors.push_back({});
        tensor().name = key_;
        has_type_ = has_shape_ = has_offsets_ = false;
        offsets_ = 0;
    }

    void end_tensor() {
        const char* missing = !has_type_ ? "dtype" : !has_shape_ ? "shape" : !has_offsets_ ? "data_offsets" : nullptr;
        if (missing != nullptr) stop(std::string("'") + missing + "' is missing");
    }

    void set_type(const std::string& text) {
        const auto type = stored_type(text);
        if (!type) stop("unknown dtype " + in_quotes(text) + suggestion(text, stored_type_names()));
        tensor().type = *type;
    }

    const std::string& path_;
    SafetensorsHeader header_;
    std::unordered_set<std::string> names_;
    std::string key_;
    In in_ = In::nothing;
    bool has_type_ = false, has_shape_ = false, has_offsets_ = false;
    int offsets_ = 0;
};

// The bytes that dtype and shape ask for; fails when that exceeds 64 bits. A zero dimension makes the product zero
// whatever the others are, so they are checked first.
std::uint64_t bytes_of_shape(const StoredTensor& tensor, const std::string& path) {
    if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
    std::uint64_t bytes = byte_size(tensor.type);
    for (const std::int64_t dimension : tensor.shape)
        if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes))
            refuse_file(path, "tensor " + in_quotes(tensor.name) + ": the shape's product overflows");
    return bytes;
}

void check_extent(const StoredTensor& tensor, std::uint64_t data_bytes, const std::string& path) {
    const std::string name = "tensor " + in_quotes(tensor.name) + ": ";
    if (tensor.begin > tensor.end) refuse_file(path, name + "data_offsets end before they begin");
    if (tensor.end > data_bytes)
        refuse_file(path, name + "data ends at byte " + std::to_string(tensor.end) + " but the file has only " +
                              std::to_string(data_bytes) + " bytes of data");
    const std::uint64_t expected = bytes_of_shape(tensor, path);
    if (tensor.end - tensor.begin != expected)
        refuse_file(path, name + "data_offsets span " + std::to_string(tensor.end - tensor.begin) +
                              " bytes but dtype and shape need " + std::to_string(expected));
}

void check_contiguous(const std::vector<StoredTensor>& tensors, std::uint64_t data_bytes, const std::string& path) {
    std::uint64_t end = 0;
    for (const StoredTensor& tensor : tensors) {
        if (tensor.begin < end)
            refuse_file(path, "tensor " + in_quotes(tensor.name) + ": its data overlaps the tensor before it");
        if (tensor.begin > end) refuse_file(path, "tensor " + in_quotes(tensor.name) + ": a hole lies before its data");
        end = tensor.end;
    }
    if (end != data_bytes)
        refuse_file(path, "the data ends at byte " + std::to_string(end) + " but the file has " +
                              std::to_string(data_bytes) + " bytes of data");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& path) {
    // The JSON parser takes a zero byte for the end of its input and would not see what follows.
    if (const std::size_t zero = json.find('\0'); zero != std::string_view::npos)
        refuse_file(path, "the header is not valid JSON at byte " + std::to_string(zero));
    HeaderReader reader(path);
    nlohmann::json::sax_parse(json, &reader);
    SafetensorsHeader header = reader.take();
    for (const StoredTensor& tensor : header.tensors) check_extent(tensor, data_bytes, path);
    std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    check_contiguous(header.tensors, data_bytes, path);
    return header;
}

}  // namespace whorl
