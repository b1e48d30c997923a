// HTML as it is written: elements in each other, and text that cannot become anything but text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lprnet::report {

struct Attribute {
    std::string_view name;
    std::string value;
};
using Attributes = std::initializer_list<Attribute>;

// Names of elements and attributes are the program's own. Texts and values may be anything:
// characters that mean something in HTML are escaped, and those that printable() does not show are
// written as \xNN. All of it may throw std::bad_alloc.
class Html {
public:
    Html& open(std::string_view tag, Attributes attributes = {});
    // The innermost element that is open.
    Html& close();
    Html& text(std::string_view text);
    // An element with nothing but a text in it.
    Html& leaf(std::string_view tag, Attributes attributes, std::string_view text);
    // An element without content.
    Html& single(std::string_view tag, Attributes attributes = {});

    // The program's own style sheet, as it is.
    Html& style(std::string_view sheet);

    // What was written, every element closed. Nothing can be added after it.
    std::string finish() &&;

private:
    void begin(std::string_view tag, Attributes attributes);

    std::string html_;
    std::vector<std::string> open_;
};

}  // namespace lprnet::report
