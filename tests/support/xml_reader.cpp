#include "tests/support/xml_reader.hpp"

#include <cctype>
#include <stdexcept>

#include "core/base/text.hpp"

namespace {

class Reader {
public:
    explicit Reader(const std::string& text) : text_(text) {
        if (!whorl::valid_utf8(text)) fail("not UTF-8");
        for (const char c : text)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n') fail("a control character");
        for (const char* never : {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "]]>"})
            if (text.find(never) != std::string::npos) fail("a character that may not stand here");
    }

    std::vector<XmlElement> read() {
        space();
        element(0);
        space();
        if (at_ != text_.size()) fail("something behind the root");
        return std::move(elements_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(what + " at " + std::to_string(at_) + ": " + text_.substr(at_, 40));
    }
    bool next_is(const std::string& part) const { return text_.compare(at_, part.size(), part) == 0; }
    void expect(const std::string& part) {
        if (!next_is(part)) fail("expected " + part);
        at_ += part.size();
    }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool space() {
        const std::size_t before = at_;
        while (peek() == ' ' || peek() == '\n') ++at_;
        return at_ > before;
    }
    std::string name() {
        const std::size_t begin = at_;
        while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '-' || peek() == ':') ++at_;
        if (begin == at_) fail("expected a name");
        return text_.substr(begin, at_ - begin);
    }
    std::string entity() {
        static const std::map<std::string, std::string> known = {
            {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}};
        for (const auto& [code, character] : known)
            if (next_is(code)) {
                at_ += code.size();
                return character;
            }
        fail("a bare &");
    }
    std::string content(const std::string& stops) {
        std::string result;
        while (at_ < text_.size() && stops.find(peek()) == std::string::npos) {
            if (peek() == '&')
                result += entity();
            else
                result += text_[at_++];
        }
        return result;
    }

    void attributes(XmlElement& element) {
        while (space() && peek() != '>' && peek() != '/') {
            const std::string key = name();
            expect("=\"");
            if (!element.attributes.emplace(key, content("\"<")).second) fail("an attribute twice");
            expect("\"");
        }
    }

    void element(std::size_t depth) {
        expect("<");
        const std::size_t index = elements_.size();
        elements_.push_back({name(), {}, "", depth});
        attributes(elements_[index]);
        if (next_is("/>")) return expect("/>");
        expect(">");
        while (true) {
            elements_[index].text += content("<");
            if (next_is("</")) break;
            element(depth + 1);
        }
        expect("</" + elements_[index].name + ">");
    }

    const std::string& text_;
    std::size_t at_ = 0;
    std::vector<XmlElement> elements_;
};

}  // namespace

std::vector<XmlElement> read_xml(const std::string& text) {
    return Reader(text).read();
}

std::vector<XmlElement> named(const std::vector<XmlElement>& elements, const std::string& name) {
    std::vector<XmlElement> result;
    for (const XmlElement& element : elements)
        if (element.name == name) result.push_back(element);
    return result;
}
