// A strict reader of the XML that painters write: no declarations, no CDATA.
#pragma once

#include <map>
#include <string>
#include <vector>

struct XmlElement {
    std::string name;
    std::map<std::string, std::string> attributes;
    std::string text;       // of its own, entities resolved
    std::size_t depth = 0;  // 0: the root
    double number(const std::string& attribute) const { return std::stod(attributes.at(attribute)); }
};

/// All elements in the order in which they begin. Throws std::runtime_error saying what is wrong: a tag that is not
/// closed, an attribute twice, a bare & or <, a character that XML may not hold, not UTF-8, more than one root.
std::vector<XmlElement> read_xml(const std::string& text);

/// Those of one name.
std::vector<XmlElement> named(const std::vector<XmlElement>& elements, const std::string& name);
