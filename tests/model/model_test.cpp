// Model files: what loads, and one test for each way in which one may be wrong.
#include "lprnet/model.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/compress/quantize.h"
#include "engine/text/printable.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"
#include "tests/paths.h"

namespace lprnet::test {
namespace {

NetworkFile small_file() {
    return random_network({.classes = 7, .width = 0.25});
}

void check_refused(const NetworkFile& file, ErrorCode code, const std::string& part,
                   const std::string& other_part = "") {
    const Result<Model> model = Model::from_memory(file.bytes(), "the file");
    REQUIRE_FALSE(model.ok());
    INFO(model.error().message);
    CHECK(model.error().code == code);
    CHECK_THAT(model.error().message, starts_with("the file: "));
    CHECK_THAT(model.error().message, contains(part) && contains(other_part));
    CHECK(model.error().message.find('\n') == std::string::npos);
}

TEST_CASE("widths, classes and channels come from the file", "[model]") {
    const Model model = random_model({.channels = 1, .classes = 37, .width = 0.75});
    CHECK(model.input_channels() == 1);
    CHECK(model.input_width() == 94);
    CHECK(model.input_height() == 24);
    CHECK(model.charset().size() == 37);
    CHECK(model.blank() == 36);
    CHECK(model.steps() == 18);
    CHECK(model.source() == "random");
    CHECK(model.name() == "random");
}

TEST_CASE("LPRNet has as many parameters as in PyTorch", "[model]") {
    // sum(p.numel() for p in network.parameters())
    CHECK(random_model({}).parameters() == 446976);
}

TEST_CASE("the shipped model loads, from file and built in", "[model]") {
    const Result<Model> file = Model::load(LPRNET_WEIGHTS_FILE);
    REQUIRE(file.ok());
    CHECK(file->charset().size() == 89);
    CHECK(file->charset().front() == "京");
    CHECK(file->charset()[static_cast<std::size_t>(file->blank())] == "-");
    const Result<Model> builtin = Model::builtin();
    REQUIRE(builtin.ok());
    CHECK(builtin->name() == "builtin");
    CHECK(builtin->charset() == file->charset());
    CHECK(builtin->parameters() == file->parameters());
}

TEST_CASE("a missing model file is named", "[model]") {
    const Result<Model> model = Model::load("/nowhere/model.safetensors");
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().code == ErrorCode::not_found);
    CHECK_THAT(model.error().message, contains("/nowhere/model.safetensors"));
}

TEST_CASE("bytes that are no model are refused", "[model]") {
    const std::string text = "this is a letter, not a model";
    const Result<Model> model =
        Model::from_memory(std::as_bytes(std::span(text.data(), text.size())), "letter");
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().code == ErrorCode::malformed);
}

TEST_CASE("a missing tensor is named", "[model]") {
    NetworkFile file = small_file();
    file.tensors.erase("backbone.8.block.2.bias");
    check_refused(file, ErrorCode::mismatch, "'backbone.8.block.2.bias'", "missing");
}

TEST_CASE("a misnamed tensor is named", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.0.wieght"] = file.tensors["backbone.0.weight"];
    check_refused(file, ErrorCode::mismatch, "'backbone.0.wieght'", "does not belong");
}

TEST_CASE("the counter of batches is ignored", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.1.num_batches_tracked"] = {{}, {1.0f}};
    CHECK(Model::from_memory(file.bytes(), "the file").ok());
}

TEST_CASE("a tensor of the wrong rank is refused", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.0.weight"].shape = {16, 27};
    check_refused(file, ErrorCode::mismatch, "'backbone.0.weight'", "[16, 27]");
}

TEST_CASE("channels that do not fit the layer before are refused", "[model]") {
    NetworkFile file = small_file();
    OwnedTensor& tensor = file.tensors["backbone.4.block.0.weight"];
    REQUIRE(tensor.shape == std::vector<std::int64_t>{8, 16, 1, 1});
    tensor.shape = {16, 8, 1, 1};
    check_refused(file, ErrorCode::mismatch, "'backbone.4.block.0.weight'",
                  "[16, 8, 1, 1], expected [*, 16, *, *]");
}

TEST_CASE("a bias of the wrong length is refused", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.0.bias"] = {{3}, {0.0f, 0.0f, 0.0f}};
    check_refused(file, ErrorCode::mismatch, "'backbone.0.bias'", "[3], expected [16]");
}

TEST_CASE("an even kernel where the extent is kept is refused", "[model]") {
    NetworkFile file = small_file();
    OwnedTensor& tensor = file.tensors["backbone.4.block.2.weight"];
    tensor.shape[2] = 2;
    tensor.values.resize(static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1] * 2));
    check_refused(file, ErrorCode::mismatch, "'backbone.4.block.2.weight'", "odd");
}

TEST_CASE("a kernel larger than its input is refused", "[model]") {
    NetworkFile file = small_file();
    OwnedTensor& tensor = file.tensors["backbone.20.weight"];
    tensor.shape[2] = 17;
    tensor.values.resize(static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1] * 17));
    check_refused(file, ErrorCode::mismatch, "'backbone.20.weight'", "too large");
}

TEST_CASE("other kernel sizes load", "[model]") {
    NetworkFile file = small_file();
    OwnedTensor& tensor = file.tensors["backbone.4.block.2.weight"];
    tensor.shape[2] = 5;
    tensor.values.resize(static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1] * 5), 0.1f);
    CHECK(Model::from_memory(file.bytes(), "the file").ok());
}

TEST_CASE("NaN and infinity are refused", "[model]") {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        NetworkFile file = small_file();
        file.tensors["backbone.16.weight"].values[5] = bad;
        check_refused(file, ErrorCode::malformed, "'backbone.16.weight'", "5");
    }
}

TEST_CASE("a negative variance is refused", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.9.running_var"].values[2] = -1.0f;
    check_refused(file, ErrorCode::mismatch, "'backbone.9.running_var'", "at 2");
}

// The file with the weight of backbone.0 in int8.
void check_int8_refused(std::int64_t channels, float scale, const std::string& part) {
    const NetworkFile file = small_file();
    const std::vector<std::int8_t> weight(static_cast<std::size_t>(channels) * 27, 1);
    const std::vector<float> scales(static_cast<std::size_t>(channels), scale);
    std::vector<weights::TensorView> views = {
        weights::view_of<std::int8_t>("backbone.0.weight", {channels, 3, 3, 3}, weight),
        weights::view_of<float>("backbone.0.weight.scale", {channels}, scales)};
    for (const auto& [name, tensor] : file.tensors) {
        if (name == "backbone.0.weight") continue;
        views.push_back(weights::view_of<float>(name, tensor.shape, tensor.values));
    }
    const auto bytes = weights::serialize_safetensors(views, file.metadata);
    REQUIRE(bytes.ok());
    const Result<Model> model = Model::from_memory(*bytes, "the file");
    REQUIRE_FALSE(model.ok());
    CHECK_THAT(model.error().message, starts_with("the file: ") && contains(part));
}

TEST_CASE("int8 weights without channels or with a scale that is not above 0 are refused",
          "[model]") {
    check_int8_refused(0, 1.0f, "'backbone.0.weight' has shape [0, 3, 3, 3]");
    check_int8_refused(16, 0.0f, "'backbone.0.weight.scale' is 0.000000 at 0");
    check_int8_refused(16, -1.0f, "'backbone.0.weight.scale' is -1.000000 at 0");
    check_int8_refused(16, std::numeric_limits<float>::quiet_NaN(), "is nan");
}

TEST_CASE("a scale of an output alone does not make a network quantized", "[model]") {
    NetworkFile file = small_file();
    file.tensors["backbone.16.output.scale"] = {{1}, {0.5f}};
    check_refused(file, ErrorCode::mismatch, "'backbone.16.weight' is not I8",
                  "'backbone.0.output.scale'");
    // Batch norms do not belong to a quantized one.
    file.tensors["backbone.0.output.scale"] = {{1}, {0.5f}};
    check_refused(file, ErrorCode::mismatch, "'backbone.1.bias'", "does not belong");
}

// A quantized network's file with the factors of one layer's output changed.
void check_factor_refused(const std::string& layer, const std::vector<float>& factors,
                          const std::string& part) {
    const NetworkFile file = small_file();
    const Result<Model> plain = Model::from_memory(file.bytes(), "plain");
    REQUIRE(plain.ok());
    std::vector<float> image(3 * 24 * 94);
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = float(i % 17) / 8 - 1;
    Result<QuantizedModel> quantized = quantize(plain->data(), {image});
    if (!quantized) FAIL(quantized.error().message);
    bool found = false;
    for (QuantizedModel::Tensor& tensor : quantized->tensors) {
        if (tensor.name != layer + ".output.factor") continue;
        found = true;
        if (factors.size() == 1) {
            std::get<std::vector<float>>(tensor.values)[1] = factors[0];
        } else {
            tensor.values = factors;
            tensor.shape = {static_cast<std::int64_t>(factors.size())};
        }
    }
    REQUIRE(found);
    const auto bytes = weights::serialize_safetensors(quantized->views(), file.metadata);
    REQUIRE(bytes.ok());
    const Result<Model> model = Model::from_memory(*bytes, "the file");
    REQUIRE_FALSE(model.ok());
    CHECK_THAT(model.error().message,
               contains("the file: tensor '" + layer + ".output.factor'") && contains(part));
}

TEST_CASE("factors of a quantized layer that make no sense are refused", "[model]") {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    check_factor_refused("backbone.4.block.0", {0.0f}, "is 0.000000 at 1, expected more than 0");
    check_factor_refused("backbone.4.block.0", {-1.0f}, "at 1, expected more than 0");
    check_factor_refused("backbone.4.block.0", {kNan}, "1");
    check_factor_refused("backbone.4.block.0", {1, 1, 1}, "shape [3]");
    for (const float factor : {0.75f, 2.0f, 1.0f / 512}) {
        check_factor_refused("backbone.11.block.6", {factor}, "expected a power of two");
        check_factor_refused("backbone.20", {factor}, "expected a power of two");
    }
}

TEST_CASE("a tensor of another dtype is refused", "[model]") {
    const NetworkFile file = small_file();
    std::vector<weights::TensorView> views;
    const std::vector<double> doubles(16, 0.0);
    for (const auto& [name, tensor] : file.tensors) {
        views.push_back(name == "backbone.0.bias"
                            ? weights::view_of<double>(name, {16}, doubles)
                            : weights::view_of<float>(name, tensor.shape, tensor.values));
    }
    const auto bytes = weights::serialize_safetensors(views, file.metadata);
    REQUIRE(bytes.ok());
    const Result<Model> model = Model::from_memory(*bytes, "the file");
    REQUIRE_FALSE(model.ok());
    CHECK_THAT(model.error().message,
               contains("'backbone.0.bias'") && contains("F64, expected F32"));
}

TEST_CASE("the temperature comes from the metadata and is 1 without", "[model]") {
    NetworkFile network = random_network({.classes = 7, .width = 0.25});
    CHECK(Model::from_memory(network.bytes(), "m")->temperature() == 1.0);
    network.metadata["lprnet.temperature"] = "1.25";
    CHECK(Model::from_memory(network.bytes(), "m")->temperature() == 1.25);
}

TEST_CASE("a file may name its architecture, and is LPRNet without", "[model]") {
    NetworkFile file = small_file();
    CHECK(Model::from_memory(file.bytes(), "m")->architecture() == "LPRNet");
    file.metadata["lprnet.architecture"] = "LPRNet";
    const Result<Model> named = Model::from_memory(file.bytes(), "m");
    REQUIRE(named.ok());
    CHECK(named->architecture() == "LPRNet");
    for (const char* precision : {"fp32", "int8"}) {
        const Result<Model> builtin = Model::builtin(precision);
        REQUIRE(builtin.ok());
        CHECK(builtin->architecture() == "LPRNet");
    }
}

TEST_CASE("a file of an unknown architecture is refused by that name", "[model]") {
    const std::pair<std::string, std::string> cases[] = {
        {"", "is '', expected 'LPRNet'"},
        {"lprnet", "is 'lprnet', expected 'LPRNet'"},
        {"LPRNet ", "is 'LPRNet ', expected 'LPRNet'"},
        {"LPRNet\n", "is 'LPRNet\\x0a', expected 'LPRNet'"},
        {"\"LPRNet\"", "is '\"LPRNet\"', expected 'LPRNet'"},
        {std::string("LPRNet\0", 7), "is 'LPRNet\\x00', expected 'LPRNet'"},
        {"\x1b[2J\u202e", "is '\\x1b[2J\\xe2\\x80\\xae', expected 'LPRNet'"},
        {std::string(100000, 'x'), "...', expected 'LPRNet'"},
    };
    for (const auto& [name, part] : cases) {
        INFO(printable(name, 100));
        NetworkFile file = small_file();
        file.metadata["lprnet.architecture"] = name;
        check_refused(file, ErrorCode::mismatch, "metadata 'lprnet.architecture' is '", part);
        // Before anything that belongs to another network.
        file.metadata["lprnet.charset"] = "?";
        file.tensors.erase("backbone.0.weight");
        file.tensors["stem.weight"] = {{1}, {1.0f}};
        check_refused(file, ErrorCode::mismatch, "metadata 'lprnet.architecture' is '", part);
    }
}

TEST_CASE("a graph can be built from every table", "[model]") {
    REQUIRE_FALSE(architectures().empty());
    CHECK(architectures().front().name == "LPRNet");
    for (const Architecture& architecture : architectures()) {
        INFO(architecture.name);
        CHECK(is_sound(architecture));
    }
    const auto sound = [](const std::vector<LayerRow>& rows) { return is_sound({"x", rows}); };
    const LayerRow conv = {.name = "a", .op = Op::conv2d};
    const LayerRow relu = {.name = "b", .op = Op::relu};
    CHECK(sound({conv}));
    CHECK(sound({conv, relu}));
    CHECK(sound({conv, relu, {.name = "c", .op = Op::concat, .from = {"a", "b"}}}));
    CHECK_FALSE(sound({}));
    CHECK_FALSE(sound({relu, conv}));
    CHECK_FALSE(sound({conv, conv}));
    CHECK_FALSE(sound({conv, {.name = "", .op = Op::relu}}));
    CHECK_FALSE(sound({conv, {.name = "b", .op = Op::relu, .from = {"b"}}}));
    CHECK_FALSE(sound({conv, {.name = "d", .op = Op::relu, .from = {"a", "b"}}, relu}));
    CHECK_FALSE(sound({{.name = "a", .op = Op::conv2d, .from = {"a"}}}));
}

TEST_CASE("metadata that is missing or wrong is named", "[model]") {
    const struct {
        const char* key;
        const char* value;  // nullptr: leave the key out
        const char* part;
    } cases[] = {
        {"lprnet.format", nullptr, "missing"},
        {"lprnet.format", "2", "'2'"},
        {"lprnet.charset", nullptr, "missing"},
        {"lprnet.charset", "[", "not valid JSON"},
        {"lprnet.charset", "{}", "array"},
        {"lprnet.charset", "[\"a\"]", "array of 2 or more"},
        {"lprnet.charset", "[\"a\", 3]", "'3'"},
        {"lprnet.charset", "[\"a\", \"\"]", "at least one character"},
        {"lprnet.charset", "[\"a\", \"b\", \"a\"]", "twice"},
        {"lprnet.charset", "[\"a\", \"b\"]", "7 classes"},
        {"lprnet.charset", "[\"a\", \"b\\u001b[2J\"]", "printable"},
        {"lprnet.charset", "[\"\\ufeffa\", \"b\"]", "printable"},
        {"lprnet.charset", "[\"\\ufeff\", \"b\"]", "printable"},
        {"lprnet.blank", "7", "0..6"},
        {"lprnet.blank", "[[[[[[[[[[[[]]]]]]]]]]]]", "0..6"},
        {"lprnet.blank", "1e999", "0..6"},
        {"lprnet.blank", "-0", "0..6"},
        {"lprnet.preprocess", R"({"width":94,"width":94})", "'width' twice"},
        {"lprnet.blank", "-1", "0..6"},
        {"lprnet.blank", "x", "0..6"},
        {"lprnet.temperature", "0", "0.05 to 20"},
        {"lprnet.temperature", "21", "0.05 to 20"},
        {"lprnet.temperature", "-1", "0.05 to 20"},
        {"lprnet.temperature", "1e999", "0.05 to 20"},
        {"lprnet.temperature", "NaN", "'NaN'"},
        {"lprnet.temperature", "\"1\"", "0.05 to 20"},
        {"lprnet.preprocess", nullptr, "missing"},
        {"lprnet.preprocess", "3", "object"},
        {"lprnet.preprocess", "{}", "'width'"},
        {"lprnet.preprocess",
         R"({"width":0,"height":24,"channel_order":"BGR","mean":0,"scale":1,"resize":"bilinear"})",
         "1..1024"},
        {"lprnet.preprocess",
         R"({"width":94,"height":2000,"channel_order":"BGR","mean":0,"scale":1,"resize":"bilinear"})",
         "1..1024"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"HSV","mean":0,"scale":1,"resize":"bilinear"})",
         "HSV"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"BGR","mean":"x","scale":1,"resize":"bilinear"})",
         "mean"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"BGR","mean":[1,2],"scale":1,"resize":"bilinear"})",
         "mean"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"BGR","mean":0,"scale":0,"resize":"bilinear"})",
         "scale"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"BGR","mean":0,"scale":1e40,"resize":"bilinear"})",
         "scale"},
        {"lprnet.preprocess",
         R"({"width":94,"height":24,"channel_order":"BGR","mean":0,"scale":1,"resize":"area"})",
         "area"},
    };
    for (const auto& c : cases) {
        INFO(c.key << " = " << (c.value != nullptr ? c.value : "(none)"));
        NetworkFile file = small_file();
        file.metadata.erase(c.key);
        if (c.value != nullptr) file.metadata[c.key] = c.value;
        check_refused(file, ErrorCode::mismatch, c.key, c.part);
    }
}

TEST_CASE("metadata that is too much is refused before it is a tree", "[model]") {
    const auto repeat = [](const std::string& piece, std::size_t times) {
        std::string text;
        for (std::size_t i = 0; i < times; ++i) text += piece;
        return text;
    };
    const std::string values[] = {
        repeat("[", 700000),
        repeat("{\"a\":", 100000),
        repeat("[", 300000) + repeat("]", 300000),
        "{\"width\":" + repeat("[", 700000),
        "[" + repeat("\"a\",", 200000) + "\"b\"]",
        "[\"" + repeat("a", 2000000) + "\",\"b\"]",
        "[" + repeat("1", 900000) + "]",
        "[\"a\",1e" + repeat("9", 500000) + "]",
        std::string("[\"a\"\0,\"b\"]", 11),
    };
    for (const char* key :
         {"lprnet.charset", "lprnet.preprocess", "lprnet.blank", "lprnet.temperature"}) {
        for (const std::string& value : values) {
            INFO(key << " = " << value.substr(0, 20));
            NetworkFile file = small_file();
            file.metadata[key] = value;
            check_refused(file, ErrorCode::mismatch, key);
        }
    }
}

TEST_CASE("channel order and first convolution must agree", "[model]") {
    NetworkFile file = small_file();
    file.metadata["lprnet.preprocess"] =
        R"({"width":94,"height":24,"channel_order":"GRAY","mean":0,"scale":1,"resize":"bilinear"})";
    check_refused(file, ErrorCode::mismatch, "'backbone.0.weight'", "[*, 1, *, *]");
}

TEST_CASE("an input size whose branches do not meet is refused", "[model]") {
    NetworkFile file = small_file();
    file.metadata["lprnet.preprocess"] =
        R"({"width":120,"height":24,"channel_order":"BGR","mean":0,"scale":1,"resize":"bilinear"})";
    check_refused(file, ErrorCode::mismatch, "branches", "3x24x120");
}

TEST_CASE("an input too small for the network is refused", "[model]") {
    NetworkFile file = small_file();
    file.metadata["lprnet.preprocess"] =
        R"({"width":4,"height":4,"channel_order":"BGR","mean":0,"scale":1,"resize":"bilinear"})";
    check_refused(file, ErrorCode::mismatch, "too large for its input");
}

TEST_CASE("mean and scale may differ between channels", "[model]") {
    NetworkFile file = small_file();
    file.metadata["lprnet.preprocess"] =
        R"({"width":94,"height":24,"channel_order":"RGB","mean":[1,2,3],"scale":[4,5,6],"resize":"bilinear"})";
    const Result<Model> model = Model::from_memory(file.bytes(), "the file");
    REQUIRE(model.ok());
    const Preprocess& p = model->data().preprocess;
    CHECK(p.order == ChannelOrder::rgb);
    for (int c = 0; c < 3; ++c) {
        CHECK(p.mean[c] == static_cast<float>(c + 1));
        CHECK(p.scale[c] == static_cast<float>(c + 4));
    }
}

}  // namespace
}  // namespace lprnet::test
