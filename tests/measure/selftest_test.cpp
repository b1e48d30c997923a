// The hash of noise, and what selftest makes of tables that compute something else.
#include "engine/measure/selftest.h"

#include <cmath>
#include <limits>

#include "engine/compress/quantize.h"
#include "engine/measure/fingerprint.h"
#include "engine/model/model_file.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/random_network.h"

namespace lprnet::measure {
namespace {

const kernels::KernelTable& reference() {
    return *kernels::find_isa("reference")->table;
}

TEST_CASE("a fingerprint is FNV-1a of the bytes", "[measure]") {
    CHECK(fingerprint({}) == "fnv1a64:cbf29ce484222325");
    // 1.0f is 00 00 80 3f.
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const unsigned byte : {0x00U, 0x00U, 0x80U, 0x3fU}) hash = (hash ^ byte) * 0x100000001b3U;
    char text[32];
    std::snprintf(text, sizeof text, "fnv1a64:%016llx", static_cast<unsigned long long>(hash));
    CHECK(fingerprint(std::vector<float>{1.0f}) == text);
    CHECK(fingerprint(std::vector<float>{0.0f}) != fingerprint(std::vector<float>{-0.0f}));
}

TEST_CASE("logits of noise are those of four pictures", "[measure]") {
    const Model model = test::random_model({.classes = 5, .width = 0.1});
    const Result<std::vector<float>> logits = fingerprint_logits(model, reference());
    REQUIRE(logits.ok());
    CHECK(logits->size() == 4U * static_cast<std::size_t>(model.steps()) * 5U);
}

TEST_CASE("every table of this CPU passes", "[measure]") {
    const Model model = test::random_model({.classes = 5, .width = 0.1});
    test::CountedProgress progress;
    const Result<std::vector<TableCheck>> checks = selftest(model, {}, progress);
    REQUIRE(checks.ok());
    REQUIRE_FALSE(checks->empty());
    CHECK(checks->front().isa == "reference");
    CHECK(checks->front().error == 0.0);
    for (const TableCheck& check : *checks) {
        INFO(check.isa);
        CHECK(check.wrong.empty());
        CHECK(check.precision == "fp32");
        CHECK(check.fingerprint.empty());
    }
    CHECK(progress.done == progress.announced);
}

TEST_CASE("a fingerprint of a file is compared", "[measure]") {
    Result<ModelFile> file = load_model_file(LPRNET_INT8_WEIGHTS_FILE);
    if (!file) FAIL(file.error().message);
    weights::Metadata metadata = file->file.metadata();
    REQUIRE(metadata.contains(kFingerprintKey));
    Progress silent;
    Result<std::vector<TableCheck>> checks = selftest(file->model, metadata, silent);
    REQUIRE(checks.ok());
    for (const TableCheck& check : *checks) {
        CHECK(check.wrong.empty());
        CHECK(check.fingerprint == metadata.at(kFingerprintKey));
    }
    metadata[kFingerprintKey] = "fnv1a64:0";
    checks = selftest(file->model, metadata, silent);
    REQUIRE(checks.ok());
    for (const TableCheck& check : *checks) CHECK(check.wrong == "expected fnv1a64:0");
    metadata.erase(kFingerprintKey);
    checks = selftest(file->model, metadata, silent);
    REQUIRE(checks.ok());
    for (const TableCheck& check : *checks) CHECK(check.wrong.empty());
}

TEST_CASE("numbers that are wrong are found", "[measure]") {
    const std::vector<float> expected = {1.0f, -2.0f, 3.0f};
    const auto wrong = [&](const char* precision, const std::vector<float>& found) {
        TableCheck check = {"m", precision, "t", 0.0, "", ""};
        judge(check, expected, found, "");
        return check.wrong;
    };
    CHECK(wrong("fp32", expected).empty());
    CHECK(wrong("fp32", {1.0f, -2.0f, 3.00003f}).empty());
    CHECK(wrong("int8", {1.0f, -2.0f, 3.00003f}) == "other bits than the reference");
    const std::string far = "too far from the reference";
    CHECK(wrong("fp32", {1.0f, -2.0f, 3.01f}) == far);
    CHECK(wrong("fp32", {1.0f, -2.0f, std::nanf("")}) == far);
    CHECK(wrong("fp32", {1.0f, -2.0f, std::numeric_limits<float>::infinity()}) == far);
    CHECK(wrong("fp32", {1.0f, -2.0f}) == far);
    CHECK(wrong("fp32", {}) == far);
    CHECK(wrong("int8", {}) == "other bits than the reference");
}

TEST_CASE("a self-test can be stopped", "[measure]") {
    test::CountedProgress progress(0);
    const Result<std::vector<TableCheck>> checks =
        selftest(test::random_model({.classes = 5, .width = 0.1}), {}, progress);
    REQUIRE_FALSE(checks.ok());
    CHECK(checks.error().message == stopped().message);
}

}  // namespace
}  // namespace lprnet::measure
