// HTML that texts from anywhere go into: they come out as text, and elements are closed.
#include "engine/report/html.h"

#include <string>

#include "tests/catch.h"

namespace lprnet::report {
namespace {

std::string page_of(std::string_view text) {
    Html html;
    html.open("p", {{"title", std::string(text)}}).text(text);
    return std::move(html).finish();
}

TEST_CASE("text stays text", "[report]") {
    CHECK(page_of("京A·7") == "<p title=\"京A·7\">京A·7</p>\n");
    const std::string escaped = "&lt;/p&gt;&amp;lt;&quot;&#39; onload=x &lt;!-- ]]&gt;";
    CHECK(page_of("</p>&lt;\"' onload=x <!-- ]]>") ==
          "<p title=\"" + escaped + "\">" + escaped + "</p>\n");
    // Every byte: only those that are safe in text and in values stay.
    for (int byte = 0; byte < 256; ++byte) {
        const std::string html = page_of(std::string(1, static_cast<char>(byte)));
        INFO("byte " << byte);
        const std::string value = html.substr(10, html.find('"', 10) - 10);
        CHECK(html == "<p title=\"" + value + "\">" + value + "</p>\n");
        CHECK(value.find_first_of("<>\"'") == std::string::npos);
        CHECK((byte >= 0x20 && byte < 0x7F) == (value.find("\\x") == std::string::npos));
    }
    // Marks that turn the direction of writing, and what is no UTF-8.
    CHECK(page_of("a\xE2\x80\xAEgpj.exe") == page_of("a\\xe2\\x80\\xaegpj.exe"));
    CHECK(page_of("\xFF<") == page_of("\\xff<"));
}

TEST_CASE("elements are closed in their order", "[report]") {
    Html html;
    html.open("a").open("b").leaf("c", {}, "1").single("d", {{"e", "f"}}).close().close().close();
    html.open("g");
    CHECK(std::move(html).finish() == "<a><b><c>1</c>\n<d e=\"f\"/></b>\n</a>\n<g></g>\n");
}

}  // namespace
}  // namespace lprnet::report
