// Sparse tensors: what comes back, what is chosen, and one test for each way in which the three
// parts may be wrong.
#include "weights/sparse.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "tests/weights/safetensors_files.h"

namespace lprnet::weights {
namespace {

// Ten elements, so that the mask has a byte of two bits: 1, 4 and 9 are not zero.
const std::vector<float> kElements = {0, 1.5F, 0, 0, -2, 0, 0, 0, 0, 3e-40F};

// A file with one sparse tensor 'w', whose parts a test may spoil.
struct Parts {
    std::vector<std::uint8_t> mask = {0b0001'0010, 0b10};
    std::vector<float> values = {1.5F, -2, 3e-40F};
    std::vector<std::int64_t> shape = {5, 2};
    bool has_mask = true, has_values = true, has_shape = true, has_dense = false;

    Bytes bytes() const {
        const SparseTensor sparse = {mask, values, shape};
        std::vector<TensorView> views;
        for (const TensorView& view : sparse.views("w")) {
            if ((view.name == "w.mask" && has_mask) || (view.name == "w.values" && has_values) ||
                (view.name == "w.shape" && has_shape)) {
                views.push_back(view);
            }
        }
        if (has_dense) views.push_back(view_of<float>("w", {5, 2}, kElements));
        return serialized(views);
    }

    static Bytes serialized(const std::vector<TensorView>& views) {
        Result<Bytes> bytes = serialize_safetensors(views, {});
        if (!bytes) FAIL(bytes.error().message);
        return *std::move(bytes);
    }
};

// Finds and copies 'w'.
Result<std::vector<float>> read(const Bytes& bytes) {
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
    if (!file) FAIL(file.error().message);
    const Result<StoredTensor> tensor = StoredTensor::find(*file, "w");
    if (!tensor) return tensor.error();
    std::vector<float> values;
    if (Status s = tensor->copy(values); !s) return s.error();
    return values;
}

void check_not_read(const Bytes& bytes, std::initializer_list<std::string_view> parts,
                    ErrorCode code = ErrorCode::malformed) {
    const Result<std::vector<float>> values = read(bytes);
    REQUIRE_FALSE(values);
    CHECK(values.error().code == code);
    check_message(values.error(), parts);
}

TEST_CASE("the bytes of a sparse tensor", "[safetensors][sparse]") {
    const SparseTensor sparse = make_sparse(kElements, {5, 2});
    CHECK(sparse.mask == Parts().mask);
    CHECK(sparse.values == Parts().values);
    CHECK(sparse.shape == Parts().shape);
    const std::vector<TensorView> views = sparse.views("w");
    REQUIRE(views.size() == 3);
    CHECK(views[0].name == "w.mask");
    CHECK(views[0].dtype == DType::u8);
    CHECK(views[0].shape == std::vector<std::int64_t>{2});
    CHECK(views[1].name == "w.values");
    CHECK(views[1].dtype == DType::f32);
    CHECK(views[1].shape == std::vector<std::int64_t>{3});
    CHECK(views[2].name == "w.shape");
    CHECK(views[2].dtype == DType::i64);
    CHECK(views[2].shape == std::vector<std::int64_t>{2});
}

TEST_CASE("a sparse tensor comes back", "[safetensors][sparse]") {
    const Bytes bytes = Parts().bytes();
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
    REQUIRE(file);
    const Result<StoredTensor> tensor = StoredTensor::find(*file, "w");
    REQUIRE(tensor);
    CHECK(tensor->is_sparse());
    CHECK(tensor->shape() == std::vector<std::int64_t>{5, 2});
    CHECK(tensor->stored_bytes() == 2 + 3 * 4 + 2 * 8);
    CHECK(tensor->stored_names() == std::vector<std::string>{"w.mask", "w.values", "w.shape"});
    std::vector<float> values;
    REQUIRE(tensor->copy(values));
    CHECK(values == kElements);
}

TEST_CASE("every length of the last byte, all and no zeros", "[safetensors][sparse]") {
    for (std::size_t count = 0; count <= 17; ++count) {
        for (const float value : {0.0F, 1.0F}) {
            std::vector<float> elements(count, value);
            if (count > 2) elements[count / 2] = 1.0F - value;
            const SparseTensor sparse = make_sparse(elements, {static_cast<std::int64_t>(count)});
            const Result<std::vector<float>> back = read(Parts::serialized(sparse.views("w")));
            INFO("count " << count << (back ? "" : back.error().message));
            REQUIRE(back);
            CHECK(*back == elements);
        }
    }
}

TEST_CASE("a scalar and a tensor without elements", "[safetensors][sparse]") {
    for (const auto& [shape, elements] :
         {std::pair<std::vector<std::int64_t>, std::vector<float>>{{}, {2}}, {{3, 0}, {}}}) {
        const Result<std::vector<float>> back =
            read(Parts::serialized(make_sparse(elements, shape).views("w")));
        REQUIRE(back);
        CHECK(*back == elements);
    }
}

TEST_CASE("a negative zero comes back as a positive one", "[safetensors][sparse]") {
    const std::vector<float> elements = {-0.0F, 1};
    const Result<std::vector<float>> back =
        read(Parts::serialized(make_sparse(elements, {2}).views("w")));
    REQUIRE(back);
    CHECK_FALSE(std::signbit((*back)[0]));
}

TEST_CASE("values of 16 bits come back as floats", "[safetensors][sparse]") {
    const std::vector<float> elements = {0, 1.5F, 0, 0, -2, 0, 0, -0.0F, 0, 0x1p-24F};
    const auto halves = exact_float16(elements);
    REQUIRE(halves);
    const SparseParts<Float16> parts = make_sparse(*halves, {5, 2});
    CHECK(parts.mask == Parts().mask);
    CHECK(parts.values.size() == 3);
    CHECK(parts.views("w")[1].dtype == DType::f16);
    for (const bool sparse : {true, false}) {
        const Bytes bytes = Parts::serialized(
            sparse ? parts.views("w")
                   : std::vector<TensorView>{view_of<Float16>("w", {5, 2}, *halves)});
        const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
        REQUIRE(file);
        const Result<StoredTensor> tensor = StoredTensor::find(*file, "w");
        REQUIRE(tensor);
        CHECK(tensor->dtype() == DType::f16);
        CHECK(tensor->stored_bytes() == (sparse ? 2 + 3 * 2 + 2 * 8 : 20));
        CHECK(*read(bytes) == elements);
        // Where integers are asked for, it is neither.
        const Result<StoredTensor> integers = StoredTensor::find(*file, "w", DType::i8);
        REQUIRE_FALSE(integers);
        check_message(integers.error(), {"F16", "expected I8"});
    }
    // A zero among the values, and what is no finite number.
    for (const auto& [bits, part] :
         {std::pair<std::uint16_t, const char*>{0x8000, "0, which only the mask"},
          {0x7C00, "is inf"},
          {0xFC01, "is nan"}}) {
        SparseParts<Float16> spoiled = parts;
        spoiled.values[1].bits = bits;
        check_not_read(Parts::serialized(spoiled.views("w")), {"'w.values'", part});
    }
}

TEST_CASE("other types than F32 and F16 are no floats", "[safetensors][sparse]") {
    const std::vector<std::uint16_t> bits(10, 0x3F80);
    const TensorView bfloat = {"w", DType::bf16, {5, 2}, std::as_bytes(std::span(bits))};
    check_not_read(Parts::serialized({bfloat}), {"'w' has dtype BF16, expected F32 or F16"},
                   ErrorCode::mismatch);
}

TEST_CASE("a dense tensor is found as well", "[safetensors][sparse]") {
    const Bytes bytes = Parts::serialized({view_of<float>("w", {5, 2}, kElements)});
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
    REQUIRE(file);
    const Result<StoredTensor> tensor = StoredTensor::find(*file, "w");
    REQUIRE(tensor);
    CHECK_FALSE(tensor->is_sparse());
    CHECK(tensor->shape() == std::vector<std::int64_t>{5, 2});
    CHECK(tensor->stored_bytes() == 40);
    CHECK(tensor->stored_names() == std::vector<std::string>{"w"});
    CHECK(*read(bytes) == kElements);
}

TEST_CASE("a sparse tensor of int8 comes back", "[safetensors][sparse]") {
    const std::vector<std::int8_t> elements = {0, 0, -128, 0, 1, 0, 0, 0, 127, 0, 0};
    const SparseTensorS8 sparse = make_sparse(elements, {11});
    CHECK(sparse.values == std::vector<std::int8_t>{-128, 1, 127});
    const Bytes bytes = Parts::serialized(sparse.views("w"));
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
    REQUIRE(file);
    const Result<StoredTensor> tensor = StoredTensor::find(*file, "w", DType::i8);
    REQUIRE(tensor);
    CHECK(tensor->is_sparse());
    CHECK(tensor->stored_bytes() == 2 + 3 + 8);
    std::vector<std::int8_t> back;
    REQUIRE(tensor->copy(back));
    CHECK(back == elements);
    // Not as the other kind.
    const Result<StoredTensor> floats = StoredTensor::find(*file, "w");
    REQUIRE_FALSE(floats);
    check_message(floats.error(), {"'w.values'", "expected F32", "I8"});
    // 1000 bytes dense; 125 + values + 8 + 256 sparse.
    std::vector<std::int8_t> many(1000, 0);
    std::fill_n(many.begin(), 610, std::int8_t{1});
    CHECK(is_smaller_sparse(many, 1));
    many[610] = 1;
    CHECK_FALSE(is_smaller_sparse(many, 1));
}

TEST_CASE("int8 values that are 0 or too many are refused", "[safetensors][sparse]") {
    SparseTensorS8 sparse = make_sparse(std::vector<std::int8_t>{3, 0, 4}, {3});
    const auto refused = [&](const std::string& part) {
        const Bytes bytes = Parts::serialized(sparse.views("w"));
        const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
        const Result<StoredTensor> tensor = StoredTensor::find(*file, "w", DType::i8);
        REQUIRE(tensor);
        std::vector<std::int8_t> back;
        const Status status = tensor->copy(back);
        REQUIRE_FALSE(status);
        check_message(status.error(), {part});
    };
    sparse.values[1] = 0;
    refused("'w.values': element 1 of 2 is 0");
    sparse.values = {3, 4, 5};
    refused("'w.mask': expected 3 bits");
    sparse.values = {3, 4};
    sparse.mask[0] = static_cast<std::uint8_t>(sparse.mask[0] | 8U);
    refused("'w.mask': a bit is set behind the last of 3");
}

TEST_CASE("the smaller form is chosen", "[safetensors][sparse]") {
    // 4000 bytes dense; 125 + 4 * values + 32 + 256 sparse, so 896 values are smaller, 897 not.
    std::vector<float> elements(1000, 0.0F);
    const auto smaller_with = [&](std::size_t values) {
        std::fill(elements.begin(), elements.end(), 0.0F);
        std::fill_n(elements.begin(), values, 1.0F);
        return is_smaller_sparse(elements, 4);
    };
    CHECK(smaller_with(0));
    CHECK(smaller_with(896));
    CHECK_FALSE(smaller_with(897));
    CHECK_FALSE(smaller_with(1000));
    CHECK_FALSE(is_smaller_sparse(std::span<const float>(), 4));
    CHECK_FALSE(is_smaller_sparse(std::vector<float>(50, 0.0F), 4));
}

TEST_CASE("a tensor that is not there", "[safetensors][sparse]") {
    check_not_read(Parts::serialized({}), {"'w'", "missing"}, ErrorCode::mismatch);
    const std::vector<double> doubles = {1};
    check_not_read(Parts::serialized({view_of<double>("w", {1}, doubles)}),
                   {"'w'", "F64", "expected F32"}, ErrorCode::mismatch);
}

TEST_CASE("a sparse tensor that is also dense is refused", "[safetensors][sparse]") {
    Parts parts;
    parts.has_dense = true;
    check_not_read(parts.bytes(), {"'w'", "twice", "'w.mask'"});
    parts.has_mask = parts.has_values = false;
    check_not_read(parts.bytes(), {"'w'", "twice", "'w.shape'"});
}

TEST_CASE("a sparse tensor without one of its parts is refused", "[safetensors][sparse]") {
    for (bool Parts::*missing : {&Parts::has_mask, &Parts::has_values, &Parts::has_shape}) {
        Parts parts;
        parts.*missing = false;
        const std::string name = missing == &Parts::has_mask     ? "'w.mask' is missing"
                                 : missing == &Parts::has_values ? "'w.values' is missing"
                                                                 : "'w.shape' is missing";
        check_not_read(parts.bytes(), {name, "is there"});
    }
    Parts only_values;
    only_values.has_mask = only_values.has_shape = false;
    check_not_read(only_values.bytes(), {"'w.mask' is missing", "'w.values' is there"});
}

TEST_CASE("parts of another kind are refused", "[safetensors][sparse]") {
    const SparseTensor sparse = make_sparse(kElements, {5, 2});
    const auto with = [&](std::size_t part, const TensorView& instead) {
        std::vector<TensorView> views = sparse.views("w");
        views[part] = instead;
        return Parts::serialized(views);
    };
    const std::vector<std::int8_t> bytes = {1, 0};
    check_not_read(with(0, view_of<std::int8_t>("w.mask", {2}, bytes)),
                   {"'w.mask'", "expected U8", "I8 [2]"});
    check_not_read(with(0, view_of<std::uint8_t>("w.mask", {1, 2}, sparse.mask)),
                   {"'w.mask'", "one dimension", "U8 [1, 2]"});
    const std::vector<double> doubles = {1, 2, 3};
    check_not_read(with(1, view_of<double>("w.values", {3}, doubles)),
                   {"'w.values'", "expected F32", "F64 [3]"});
    check_not_read(with(1, view_of<float>("w.values", {3, 1}, sparse.values)),
                   {"'w.values'", "one dimension", "F32 [3, 1]"});
    const std::vector<std::int32_t> shape = {5, 2};
    check_not_read(with(2, view_of<std::int32_t>("w.shape", {2}, shape)),
                   {"'w.shape'", "expected I64", "I32 [2]"});
    check_not_read(with(2, view_of<std::int64_t>("w.shape", {}, std::span(sparse.shape).first(1))),
                   {"'w.shape'", "one dimension", "I64 []"});
}

TEST_CASE("a shape that is none is refused", "[safetensors][sparse]") {
    Parts parts;
    parts.shape = {-5, -2};
    check_not_read(parts.bytes(), {"'w.shape'", "from 0 up", "[-5, -2]"});
    parts.shape = {std::int64_t{1} << 62, 4};
    check_not_read(parts.bytes(), {"'w.shape'", "63 bits"});
    parts.shape = {0, std::numeric_limits<std::int64_t>::max()};
    check_not_read(parts.bytes(), {"'w.shape'", "63 bits"});
    parts.shape = {10, 1, 1, 1, 1, 1, 1, 1, 1};
    check_not_read(parts.bytes(), {"'w.shape'", "at most 8", "found 9"});
}

TEST_CASE("a mask or values that do not fit the shape are refused", "[safetensors][sparse]") {
    Parts parts;
    parts.shape = {17};
    check_not_read(parts.bytes(), {"'w.mask'", "expected 3 bytes", "[17]", "found 2"});
    parts.shape = {8};
    check_not_read(parts.bytes(), {"'w.mask'", "expected 1 bytes", "[8]", "found 2"});
    // Far more elements than the file could bear.
    parts.shape = {std::int64_t{1} << 60};
    check_not_read(parts.bytes(), {"'w.mask'", "144115188075855872", "found 2"});
    parts.shape = {10};
    parts.values.resize(11, 1);
    check_not_read(parts.bytes(), {"'w.values'", "at most 10", "found 11"});
}

TEST_CASE("a mask whose bits are wrong is refused", "[safetensors][sparse]") {
    Parts parts;
    parts.mask[1] = 0b110;  // element 10 of 10
    check_not_read(parts.bytes(), {"'w.mask'", "behind the last of 10"});
    parts.mask[1] = 0b1000'0000;
    check_not_read(parts.bytes(), {"'w.mask'", "behind the last of 10"});
    parts.mask[1] = 0b11;
    check_not_read(parts.bytes(), {"'w.mask'", "expected 3 bits", "'w.values'", "found 4"});
    parts.mask[1] = 0;
    check_not_read(parts.bytes(), {"'w.mask'", "expected 3 bits", "found 2"});
}

TEST_CASE("values of zero and those that are no numbers are refused", "[safetensors][sparse]") {
    for (const float zero : {0.0F, -0.0F}) {
        Parts parts;
        parts.values[1] = zero;
        check_not_read(parts.bytes(), {"'w.values'", "element 1 of 3 is 0"});
    }
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Parts parts;
        parts.values[2] = bad;
        check_not_read(parts.bytes(), {"'w.values'", "element 2 of 3", "finite"});
    }
}

}  // namespace
}  // namespace lprnet::weights
