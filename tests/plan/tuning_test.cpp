#include "engine/plan/tuning.h"

#include "engine/plan/plan.h"
#include "kernels/dispatch.h"
#include "lprnet/recognizer.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

const kernels::KernelTable& best() {
    return kernels::best_table(kernels::detect_cpu_features());
}

Tuning parsed(const std::string& text) {
    Result<Tuning> tuning = parse_tuning(text, "t");
    if (!tuning) FAIL(tuning.error().message);
    return *tuning;
}

TEST_CASE("algorithms have names, and names algorithms", "[tuning]") {
    const ConvShape shape = {.ic = 64, .oc = 64, .kh = 13, .kw = 1, .oh = 4, .ow = 18};
    const std::vector<ConvAlgorithm> all = conv_algorithms(shape);
    CHECK(all.size() == 12);
    CHECK(all.front().direct());
    CHECK(all[1].sparse);
    for (const ConvAlgorithm& algorithm : all) {
        ConvAlgorithm again{.points = 99};
        CHECK(parse_algorithm(algorithm_text(algorithm), again));
        CHECK(again == algorithm);
    }
    ConvAlgorithm unused;
    for (const char* text : {"", "Direct", "F(9,3)", "F(6,3", "F(6,3) ", "winograd"})
        CHECK_FALSE(parse_algorithm(text, unused));
}

TEST_CASE("a tuning has a largest size, and may begin with a byte order mark", "[tuning]") {
    const std::string header = "lprnet tuning 1\n";
    CHECK(parsed("\xef\xbb\xbf" + header + "isa sse2\n").isa == "sse2");
    CHECK_FALSE(parse_tuning(header + "\xef\xbb\xbf" + "isa sse2\n", "t").ok());
    for (const char piece : {'[', ' ', '\n', '#', '\0', '9', '\xff'}) {
        INFO(int{piece});
        CHECK_FALSE(parse_tuning(header + std::string(2U << 20, piece), "t").ok());
    }
    std::string many = header;
    for (int ic = 1; ic <= 5000; ++ic) {
        many += "conv " + std::to_string(ic) + " 8 1x1 4x4 direct\n";
    }
    const Result<Tuning> tuning = parse_tuning(many, "t");
    REQUIRE_FALSE(tuning.ok());
    CHECK_THAT(tuning.error().message, contains("line 4098") && contains("at most 4096"));
}

TEST_CASE("convolutions with taps along no axis, two axes or too few know no Winograd",
          "[tuning]") {
    for (const auto& [kh, kw] : {std::pair{1, 1}, {3, 3}, {2, 1}, {1, 2}}) {
        const ConvShape shape = {.ic = 64, .oc = 64, .kh = kh, .kw = kw, .oh = 18, .ow = 44};
        CHECK(conv_algorithms(shape).size() == 2);
        CHECK(default_algorithm(shape, best()).direct());
    }
    // Three taps leave out what is made for more.
    CHECK(conv_algorithms({.ic = 8, .oc = 8, .kh = 3, .kw = 1, .oh = 9, .ow = 9}).size() == 7);
}

TEST_CASE("Winograd is chosen for the wide layers and not for tiny ones", "[tuning]") {
    CHECK(algorithm_text(default_algorithm({64, 64, 3, 1, 18, 44}, best())) == "F(6,3)");
    CHECK(algorithm_text(default_algorithm({64, 256, 1, 4, 16, 18}, best())) == "F(6,4)");
    CHECK(algorithm_text(default_algorithm({256, 68, 13, 1, 4, 18}, best())) == "F(4,7)");
    CHECK(default_algorithm({2, 2, 3, 1, 18, 44}, best()).direct());
    CHECK(default_algorithm({64, 64, 3, 1, 1, 1}, best()).direct());
    CHECK(
        default_algorithm({64, 64, 3, 1, 18, 44}, *kernels::find_isa("reference")->table).direct());
}

TEST_CASE("sparse is chosen where enough weights are zero, and not in the reference", "[tuning]") {
    const ConvShape dense = {64, 256, 1, 1, 18, 44};
    ConvShape sparse = dense;
    sparse.zero_percent = 35;
    CHECK(default_algorithm(dense, best()).direct());
    CHECK(default_algorithm(sparse, best()).sparse);
    CHECK(default_algorithm(sparse, *kernels::find_isa("reference")->table).direct());
    // Fewer multiplications by Winograd than by a third of the weights.
    CHECK(default_algorithm({64, 64, 3, 1, 18, 44, 35}, best()).winograd());
    CHECK(default_algorithm({64, 64, 3, 1, 18, 44, 90}, best()).sparse);
    // Panels leave out what is to be transposed.
    CHECK(conv_cost(sparse, {.sparse = true}, {.output = true}, best()) <
          conv_cost(sparse, {.sparse = true}, {}, best()));
}

TEST_CASE("what a build left out is not chosen, also where a tuning names it", "[tuning]") {
    kernels::KernelTable few = best();
    few.conv1d_winograd_f32 = nullptr;
    few.conv2d_sparse_f32 = nullptr;
    for (const int zeros : {0, 35, 100}) {
        const ConvShape shape = {
            .ic = 64, .oc = 64, .kh = 3, .kw = 1, .oh = 18, .ow = 44, .zero_percent = zeros};
        CHECK(default_algorithm(shape, few).direct());
        for (const ConvAlgorithm& algorithm : conv_algorithms(shape)) {
            CAPTURE(algorithm_text(algorithm));
            CHECK(has_kernel(few, algorithm) == algorithm.direct());
            Tuning tuning;
            tuning.every = algorithm;
            CHECK(tuning.choose(shape, few).direct());
            CHECK(tuning.choose(shape, best()) == algorithm);
        }
    }
}

TEST_CASE("shares of zeros are rounded to 5 %", "[tuning]") {
    CHECK(rounded_zero_percent(0, 1000) == 0);
    CHECK(rounded_zero_percent(24, 1000) == 0);
    CHECK(rounded_zero_percent(25, 1000) == 5);
    CHECK(rounded_zero_percent(349, 1000) == 35);
    CHECK(rounded_zero_percent(1000, 1000) == 100);
    CHECK(rounded_zero_percent(0, 0) == 0);
}

TEST_CASE("a tuning's text is read as it was written", "[tuning]") {
    Tuning tuning;
    tuning.cpu = "Some CPU 9000";
    tuning.isa = "avx2";
    tuning.choices[{64, 64, 3, 1, 18, 44}] = {6, 4};
    tuning.choices[{3, 64, 3, 3, 22, 92}] = {};
    tuning.choices[{64, 256, 1, 1, 18, 44, 35}] = {.sparse = true};
    tuning.choices[{64, 256, 1, 1, 18, 44}] = {};
    tuning.every = ConvAlgorithm{8, 6};
    const std::string text = tuning_text(tuning);
    const Tuning again = parsed(text);
    CHECK(again.cpu == tuning.cpu);
    CHECK(again.isa == tuning.isa);
    CHECK(again.choices == tuning.choices);
    CHECK(again.every == tuning.every);
    CHECK(tuning_text(again) == text);
    CHECK_THAT(text, contains("conv 64 256 1x1 18x44 35% sparse\n"));
    // Windows line ends, comments, blank lines
    // blanks around a word, and a line without one, as people leave them
    const Tuning by_hand = parsed("lprnet tuning 1\n  cpu \t Some  CPU \t\nisa\tavx2  \n isa");
    CHECK(by_hand.cpu == "Some  CPU");
    CHECK(by_hand.isa.empty());
    CHECK(parsed("lprnet tuning 1\r\n# a remark\r\n\r\nisa avx512\r\n").isa == "avx512");
}

TEST_CASE("a name is what it is when it is written and read again, whatever blanks surround it",
          "[tuning]") {
    const std::string blanks[] = {"", " ", "\t", "\r", " \r", "\r ", "\r\r", "\t\r \r"};
    for (const std::string& before : blanks) {
        for (const std::string& after : blanks) {
            const std::string line = " " + before + "A\rCPU ( B )" + after + "\r\n";
            CAPTURE(line);
            const Tuning tuning = parsed("lprnet tuning 1\ncpu" + line + "isa" + line);
            CHECK(tuning.cpu == "A\rCPU ( B )");
            CHECK(tuning.isa == tuning.cpu);
            const Tuning again = parsed(tuning_text(tuning));
            CHECK(again.cpu == tuning.cpu);
            CHECK(again.isa == tuning.isa);
        }
    }
}

TEST_CASE("a line decides for its shape, conv * for what it can compute", "[tuning]") {
    const Tuning tuning = parsed("lprnet tuning 1\nconv * F(5,4)\nconv 64 64 3x1 18x44 direct\n");
    CHECK(tuning.choose({64, 64, 3, 1, 18, 44}, best()).direct());
    CHECK(algorithm_text(tuning.choose({64, 256, 1, 4, 16, 18}, best())) == "F(5,4)");
    // four taps at a time are no use to three: the default
    CHECK(algorithm_text(tuning.choose({64, 64, 1, 3, 18, 44}, best())) ==
          algorithm_text(default_algorithm({64, 64, 1, 3, 18, 44}, best())));
}

TEST_CASE("a broken tuning is one line: where, expected, found", "[tuning]") {
    const std::pair<const char*, const char*> cases[] = {
        {"", "t: line 1: expected 'lprnet tuning 1'"},
        {"lprnet tuning 2\n", "t: line 1: expected 'lprnet tuning 1', found 'lprnet tuning 2'"},
        {"lprnet tuning 1\nspeed 9\n", "t: line 2: expected cpu, isa or conv"},
        {"lprnet tuning 1\nconv 64 64 3x1 F(6,3)\n", "t: line 2: expected 'conv IC OC"},
        {"lprnet tuning 1\nconv 64 64 3x1 18x44 F(9,3)\n", "expected an algorithm"},
        {"lprnet tuning 1\nconv 64 64 3x3 18x44 F(6,3)\n", "expected an algorithm"},
        {"lprnet tuning 1\nconv 0 64 3x1 18x44 direct\n", "expected 'conv IC OC"},
        {"lprnet tuning 1\nconv 64 64 3x1 18x4400000000 direct\n", "expected 'conv IC OC"},
        {"lprnet tuning 1\n\nconv * fast\n", "t: line 3"},
        {"lprnet tuning 1\nconv 64 64 1x1 18x44 37% sparse\n", "expected 'conv IC OC"},
        {"lprnet tuning 1\nconv 64 64 1x1 18x44 105% sparse\n", "expected 'conv IC OC"},
        {"lprnet tuning 1\nconv 64 64 1x1 18x44 35 sparse\n", "expected 'conv IC OC"},
    };
    for (const auto& [text, expected] : cases) {
        const Result<Tuning> tuning = parse_tuning(text, "t");
        REQUIRE_FALSE(tuning.ok());
        CHECK(tuning.error().code == ErrorCode::malformed);
        CHECK_THAT(tuning.error().message, contains(expected));
        CHECK(tuning.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("a recognizer obeys a tuning made for its instruction set alone", "[tuning]") {
    const Model model = random_model({.width = 0.5});
    const auto plan_of = [&](const std::string& text) {
        RecognizerOptions options;
        options.tuning = text;
        Result<Recognizer> recognizer = Recognizer::create(model, options);
        if (!recognizer) FAIL(recognizer.error().message);
        return recognizer->packed_bytes();
    };
    const std::size_t by_default = plan_of("");
    const std::size_t direct = plan_of("lprnet tuning 1\nconv * direct\n");
    CHECK(direct < by_default);
    const std::string isa = best().name;
    CHECK(plan_of("lprnet tuning 1\nisa " + isa + "\nconv * direct\n") == direct);
    CHECK(plan_of("lprnet tuning 1\nisa other\nconv * direct\n") == by_default);
    RecognizerOptions options;
    options.tuning = "nonsense";
    const Result<Recognizer> refused = Recognizer::create(model, options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::malformed);
}

}  // namespace
}  // namespace lprnet::test
