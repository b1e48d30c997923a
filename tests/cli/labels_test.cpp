// The program's own parts that read no image: label files, lists of paths.
#include "engine/cli/labels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/cli/inputs.h"
#include "tests/catch.h"
#include "tests/paths.h"

namespace lprnet::cli {
namespace {

using Texts = std::vector<std::string>;
using test::TemporaryFolder;

void write(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

// Standard input from a string while it lives.
class StandardInput {
public:
    explicit StandardInput(const std::string& content) : saved_(dup(STDIN_FILENO)) {
        write(folder_.file("input"), content);
        const int file = open(folder_.file("input").c_str(), O_RDONLY | O_CLOEXEC);
        REQUIRE(dup2(file, STDIN_FILENO) == STDIN_FILENO);
        close(file);
    }
    ~StandardInput() {
        dup2(saved_, STDIN_FILENO);
        close(saved_);
    }
    StandardInput(const StandardInput&) = delete;
    StandardInput& operator=(const StandardInput&) = delete;

private:
    TemporaryFolder folder_;
    int saved_;
};

TEST_CASE("image names are known by their endings", "[cli]") {
    for (const char* name : {"a.jpg", "a.jpeg", "a.jpe", "a.png", "a.bmp", "A.JPG", "a.PnG",
                             "b/c.d/e.f.bmp", "京.png", "a b.jpg", "-.png"}) {
        INFO(name);
        CHECK(has_image_name(name));
    }
    for (const char* name :
         {"", "a", "jpg", ".png", "a.txt", "a.png ", "a.png/", "a.png.txt", "a.gif", "a.jpg~",
          "png.", "a.jp", "a.jpegs", "a.jpex", "folder.png/a"}) {
        INFO(name);
        CHECK_FALSE(has_image_name(name));
    }
}

TEST_CASE("paths on the command line keep their order and are not judged", "[cli]") {
    const Texts paths = {"z.png", "a.txt", "missing/b.png", "z.png", ""};
    const Inputs inputs = expand_inputs(paths);
    CHECK(inputs.images == paths);
    CHECK(inputs.errors.empty());
    CHECK(inputs.skipped.empty());
}

TEST_CASE("a folder gives its images in byte order, in depth", "[cli]") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.file("b/deep"));
    std::filesystem::create_directories(folder.file("c.png"));
    for (const char* name :
         {"b/2.png", "a.jpg", "b/deep/1.bmp", "Z.PNG", "京.png", "notes\n.txt"}) {
        write(folder.file(name), "x");
    }
    const Inputs inputs = expand_inputs({folder.path(), "last.png"});
    CHECK(inputs.images == Texts{folder.file("Z.PNG"), folder.file("a.jpg"), folder.file("b/2.png"),
                                 folder.file("b/deep/1.bmp"), folder.file("京.png"), "last.png"});
    CHECK(inputs.errors.empty());
    REQUIRE(inputs.skipped.size() == 1);
    CHECK(inputs.skipped[0].find("notes\\x0a.txt: skipped") != std::string::npos);
}

TEST_CASE("a dangling link is an image to open, a folder behind a link is not followed", "[cli]") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.file("there"));
    write(folder.file("there/a.png"), "x");
    std::filesystem::create_symlink("nowhere", folder.file("dangling.png"));
    std::filesystem::create_directory_symlink(".", folder.file("there/again"));
    const Inputs inputs = expand_inputs({folder.path()});
    CHECK(inputs.images == Texts{folder.file("dangling.png"), folder.file("there/a.png")});
    CHECK(inputs.errors.empty());
    REQUIRE(inputs.skipped.size() == 1);
    CHECK(inputs.skipped[0].find(folder.file("there/again") + ": skipped, a link") == 0);
}

TEST_CASE("a folder without images is an error", "[cli]") {
    const TemporaryFolder folder;
    const Inputs empty = expand_inputs({folder.path()});
    CHECK(empty.images.empty());
    REQUIRE(empty.errors.size() == 1);
    CHECK(empty.errors[0] == folder.path() + ": no image in this folder");

    write(folder.file("a.txt"), "x");
    const Inputs other = expand_inputs({folder.path(), "a.png"});
    CHECK(other.images == Texts{"a.png"});
    CHECK(other.errors.size() == 1);
    CHECK(other.skipped.size() == 1);
}

TEST_CASE("a list on standard input", "[cli]") {
    const TemporaryFolder folder;
    write(folder.file("a.png"), "x");
    const StandardInput input("one.png\r\n\n\r\ntwo words.png\n" + folder.path() + "\n-\nlast.png");
    CHECK(expand_inputs({"first.png", "-", "end.png"}).images ==
          Texts{"first.png", "one.png", "two words.png", folder.file("a.png"), "-", "last.png",
                "end.png"});
}

TEST_CASE("an empty list on standard input", "[cli]") {
    const StandardInput input("");
    const Inputs inputs = expand_inputs({"-", "-"});
    CHECK(inputs.images.empty());
    CHECK(inputs.errors == Texts(2, "no path on standard input"));
}

TEST_CASE("lists as other systems write them", "[cli]") {
    const auto read = [](const std::string& content) {
        const StandardInput input(content);
        return expand_inputs({"-"});
    };
    // With a byte order mark, which is no part of the first path; elsewhere it is.
    CHECK(read("\xEF\xBB\xBFone.png\r\ntwo.png").images == Texts{"one.png", "two.png"});
    CHECK(read("one.png\n\xEF\xBB\xBFtwo.png").images == Texts{"one.png", "\xEF\xBB\xBFtwo.png"});
    CHECK(read("\xEF\xBB\xBF").errors == Texts{"no path on standard input"});

    const auto error = [&](const std::string& content) {
        const Inputs inputs = read(content);
        CHECK(inputs.images.empty());
        REQUIRE(inputs.errors.size() == 1);
        return inputs.errors[0];
    };
    CHECK(error(std::string("\xFF\xFE"
                            "a\0\n\0",
                            6)) == "standard input: expected UTF-8, found UTF-16, one path a line");
    CHECK(error(std::string("\xFE\xFF\0a\0\n", 6)) ==
          "standard input: expected UTF-8, found UTF-16, one path a line");
    CHECK(error(std::string("a.png\nb.png\0c.png\0", 18)) ==
          "standard input: line 2 has a zero byte, expected text in UTF-8, one path a line");
    CHECK(error(std::string(100000, 'a')).find("found one of more than 65536 bytes") !=
          std::string::npos);
    const Inputs some = read("a.png\n" + std::string(200000, 'b') + "\nc.png\n");
    CHECK(some.images == Texts{"a.png"});
    CHECK(some.errors.size() == 1);
    // A list of 3 MB, in many pieces.
    std::string list;
    Texts paths;
    for (int i = 0; i < 100000; ++i) {
        paths.push_back("folder/with/a/name/" + std::to_string(i) + ".png");
        list += paths.back() + "\n";
    }
    CHECK(read(list).images == paths);
}

TEST_CASE("a folder on standard input", "[cli]") {
    const TemporaryFolder folder;
    const int saved = dup(STDIN_FILENO);
    const int opened = open(folder.path().c_str(), O_RDONLY | O_CLOEXEC);
    dup2(opened, STDIN_FILENO);
    close(opened);
    const Inputs inputs = expand_inputs({"-"});
    dup2(saved, STDIN_FILENO);
    close(saved);
    CHECK(inputs.images.empty());
    REQUIRE(inputs.errors.size() == 1);
    CHECK(inputs.errors[0].find("standard input: cannot be read (") == 0);
}

TEST_CASE("a label table", "[cli]") {
    const TemporaryFolder folder;
    const std::string table = folder.file("any name.tsv");
    write(table,
          "a.png\t京A12345\r\n"
          "\n\r\n"
          "sub/b c.jpg\tX\tstreet\n"
          "/abs/d.png\tY\tyard\tmore\tcolumns\n"
          "e.png\tZ\t\tthe set is empty");
    const auto labels = read_labels(table);
    REQUIRE(labels.ok());
    REQUIRE(labels->size() == 4);
    const auto row = [&](std::size_t i) {
        const LabelledImage& image = (*labels)[i];
        return Texts{image.path, image.text, image.set};
    };
    CHECK(row(0) == Texts{folder.file("a.png"), "京A12345", ""});
    CHECK(row(1) == Texts{folder.file("sub/b c.jpg"), "X", "street"});
    CHECK(row(2) == Texts{"/abs/d.png", "Y", "yard"});
    CHECK(row(3) == Texts{folder.file("e.png"), "Z", ""});
}

TEST_CASE("a label table may begin with a byte order mark", "[cli]") {
    const TemporaryFolder folder;
    std::ofstream(folder.file("labels.tsv")) << "\xEF\xBB\xBF"
                                             << "a.png\tA1\n";
    const auto labels = read_labels(folder.file("labels.tsv"));
    REQUIRE(labels.ok());
    CHECK(labels->front().path == folder.file("a.png"));
}

TEST_CASE("a label table that is none names the line", "[cli]") {
    const TemporaryFolder folder;
    const std::string table = folder.file("labels.tsv");
    struct Case {
        std::string content;
        std::string message;
    };
    const std::string expected = ", expected path<TAB>text in UTF-8";
    const std::vector<Case> cases = {
        {"a.png\tA\nb.png B\n", ": line 2 is 'b.png B'" + expected},
        {"\n\na.png\n", ": line 3 is 'a.png'" + expected},
        {"a.png\t", ": line 1 is 'a.png\\x09'" + expected},
        {"\tA", ": line 1 is '\\x09A'" + expected},
        {"a.png\tA\t\xff\n", ": line 1 is 'a.png\\x09A\\x09\\xff'" + expected},
        {"a.png\t\xed\xa0\x80\n", ": line 1 is 'a.png\\x09\\xed\\xa0\\x80'" + expected},
        {"", ": the file is empty"},
        {"\xEF\xBB\xBF", ": holds no label"},
        {std::string("a.png\tA\nb\0.png\tB\n", 18),
         ": line 2 has a zero byte, expected text in UTF-8"},
        {"\xFF\xFE"
         "a",
         ": expected UTF-8, found UTF-16"},
        {"\r\n\n", ": holds no label"},
    };
    for (const Case& c : cases) {
        write(table, c.content);
        for (const std::string& path : {table, folder.path()}) {
            const auto labels = read_labels(path);
            REQUIRE_FALSE(labels.ok());
            CHECK(labels.error().code == ErrorCode::malformed);
            CHECK(labels.error().message == table + c.message);
        }
    }
    const auto missing = read_labels(folder.file("missing.tsv"));
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code == ErrorCode::not_found);
    CHECK(missing.error().message.find(folder.file("missing.tsv")) == 0);
}

TEST_CASE("file names as labels", "[cli]") {
    const TemporaryFolder folder;
    for (const char* name : {"京A12345.png", "沪B1-2.png", "粤C3_x.jpg", "苏D4.front.bmp"}) {
        write(folder.file(name), "x");
    }
    const auto labels = read_labels(folder.path());
    REQUIRE(labels.ok());
    Texts texts;
    for (const LabelledImage& image : *labels) {
        texts.push_back(image.text);
        CHECK(image.set.empty());
    }
    CHECK(texts == Texts{"京A12345", "沪B1", "粤C3", "苏D4"});

    SECTION("a labels.tsv goes before the names") {
        write(folder.file("labels.tsv"), "京A12345.png\tX\n");
        const auto table = read_labels(folder.path());
        REQUIRE(table.ok());
        REQUIRE(table->size() == 1);
        CHECK((*table)[0].text == "X");
    }
    SECTION("a name without a text") {
        write(folder.file("_x.png"), "x");
        const auto nameless = read_labels(folder.path());
        REQUIRE_FALSE(nameless.ok());
        CHECK(nameless.error().message.find(folder.file("_x.png") + ": ") == 0);
    }
}

TEST_CASE("a folder without images has no labels", "[cli]") {
    const TemporaryFolder folder;
    const auto labels = read_labels(folder.path());
    REQUIRE_FALSE(labels.ok());
    CHECK(labels.error().code == ErrorCode::not_found);
    CHECK(labels.error().message == folder.path() + ": no image in this folder");
}

}  // namespace
}  // namespace lprnet::cli
