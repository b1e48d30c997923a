#include "engine/report/html.h"

#include <utility>

#include "engine/text/printable.h"

namespace lprnet::report {
namespace {

void append_escaped(std::string& html, std::string_view text) {
    for (const char c : printable(text)) {
        switch (c) {
            case '&': html += "&amp;"; break;
            case '<': html += "&lt;"; break;
            case '>': html += "&gt;"; break;
            case '"': html += "&quot;"; break;
            case '\'': html += "&#39;"; break;
            default: html += c;
        }
    }
}

}  // namespace

void Html::begin(std::string_view tag, Attributes attributes) {
    html_ += '<';
    html_ += tag;
    for (const Attribute& attribute : attributes) {
        html_ += ' ';
        html_ += attribute.name;
        html_ += "=\"";
        append_escaped(html_, attribute.value);
        html_ += '"';
    }
}

Html& Html::open(std::string_view tag, Attributes attributes) {
    begin(tag, attributes);
    html_ += '>';
    open_.emplace_back(tag);
    return *this;
}

Html& Html::close() {
    if (open_.empty()) return *this;
    html_ += "</" + open_.back() + ">\n";
    open_.pop_back();
    return *this;
}

Html& Html::text(std::string_view text) {
    append_escaped(html_, text);
    return *this;
}

Html& Html::leaf(std::string_view tag, Attributes attributes, std::string_view text) {
    return open(tag, attributes).text(text).close();
}

Html& Html::single(std::string_view tag, Attributes attributes) {
    begin(tag, attributes);
    html_ += "/>";
    return *this;
}

Html& Html::style(std::string_view sheet) {
    open("style");
    html_ += sheet;
    return close();
}

std::string Html::finish() && {
    while (!open_.empty()) close();
    return std::move(html_);
}

}  // namespace lprnet::report
