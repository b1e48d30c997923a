// Every public function, in C++ and C, with values that nobody should pass: numbers that are no
// enumerators, sizes, strides and regions at the limits of their types, corners and confidences
// that are no numbers, null and misaligned pointers, texts that are no text, readings whose parts
// do not fit together. Each call has to return, with success or with an error of one line, and no
// answer may hold what its documentation excludes. Sanitizers see the rest. The same seed gives the
// same cases.
//
//   hostile_values [CASES [SEED]]
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/builtin.h"
#include "lprnet/known_plates.h"
#include "lprnet/lprnet.h"
#include "lprnet/recognizer.h"
#include "lprnet/vote.h"
#include "tests/fuzz/random_choice.h"

namespace lprnet::test {
namespace {

// A case that does not come back is found by the alarm, however slow the machine.
constexpr unsigned kPatience = 120;

[[noreturn]] void fail(const std::string& what);

template <class T>
T needed(Result<T> result) {
    if (!result) fail(result.error().message);
    return std::move(*result);
}

void check(bool holds, const char* what) {
    if (!holds) fail(what);
}

void check_message(const std::string& message) {
    constexpr std::size_t kLongest = 4096;
    check(!message.empty() && message.size() <= kLongest, "a message of another length");
    for (const char c : message) {
        const auto byte = static_cast<unsigned char>(c);
        check(byte >= 0x20 && byte != 0x7F, "a message with a control character");
    }
}

// True for success.
bool check_status(const Status& status) {
    if (!status) check_message(status.error().message);
    return status.ok();
}
template <class T>
bool check_result(const Result<T>& result) {
    if (!result) check_message(result.error().message);
    return result.ok();
}

bool is_share(float value) {
    return value >= 0.0f && value <= 1.0f;
}

void check_reading(const Reading& reading) {
    check(is_share(reading.confidence), "a confidence outside 0..1");
    check(is_share(reading.reject_score), "a reject score outside 0..1");
    for (const Character& character : reading.characters) {
        check(is_share(character.confidence), "a character's confidence outside 0..1");
        check(character.alternative_count >= 0 && character.alternative_count <= 3,
              "a number of alternatives outside 0..3");
        check(character.first_step >= 0 && character.last_step >= character.first_step,
              "steps out of order");
    }
    for (const Candidate& candidate : reading.candidates) {
        check(is_share(candidate.confidence), "a candidate's confidence outside 0..1");
    }
}

class Values : public test::Random {
public:
    using Random::Random;

    int integer() {
        constexpr int kMin = std::numeric_limits<int>::min();
        constexpr int kMax = std::numeric_limits<int>::max();
        constexpr int kKnown[] = {kMin, kMin + 1, -65536, -32768, -2, -1,    0,        1,
                                  2,    3,        7,      24,     94, 32767, 32768,    32769,
                                  9,    10,       100,    101,    64, 65535, kMax - 1, kMax};
        return one_in(4) ? static_cast<int>((*this)()) : one_of(kKnown);
    }

    std::ptrdiff_t stride() {
        constexpr std::ptrdiff_t kMin = std::numeric_limits<std::ptrdiff_t>::min();
        constexpr std::ptrdiff_t kMax = std::numeric_limits<std::ptrdiff_t>::max();
        constexpr std::ptrdiff_t kKnown[] = {
            kMin, kMin + 1, kMin / 2,     kMin / 32768, -1,       0,        1,   282,
            283,  376,      kMax / 32768, kMax / 3,     kMax / 2, kMax - 1, kMax};
        return one_in(4) ? static_cast<std::ptrdiff_t>((*this)() >> below(63)) : one_of(kKnown);
    }

    double real() {
        using Limits = std::numeric_limits<double>;
        constexpr double kKnown[] = {Limits::quiet_NaN(),
                                     Limits::infinity(),
                                     -Limits::infinity(),
                                     Limits::max(),
                                     -Limits::max(),
                                     Limits::denorm_min(),
                                     0.0,
                                     -0.0,
                                     1.0,
                                     -1.0,
                                     0.05,
                                     20.0,
                                     20.000001,
                                     0.5,
                                     65536.0,
                                     -65536.0,
                                     1e-3,
                                     94.0};
        return one_in(4) ? std::ldexp(static_cast<double>(below(2001)) - 1000.0,
                                      static_cast<int>(below(200)) - 100)
                         : one_of(kKnown);
    }
    float small_real() {
        const double value = real();
        constexpr double kMost = static_cast<double>(std::numeric_limits<float>::max());
        return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN()
               : value > kMost   ? std::numeric_limits<float>::infinity()
               : value < -kMost  ? -std::numeric_limits<float>::infinity()
                                 : static_cast<float>(value);
    }

    // Any bytes, or pieces of plates, cut anywhere.
    std::string text(std::size_t longest) {
        constexpr std::string_view kPieces[] = {
            "皖",           "A",        "0",      "8",  "D",       "京",
            "\xE4\xBA",     "\x80\x80", "\xFF",   "\n", "\x1B[2J", "\xF0\x9F\x98\x80",
            "\xED\xA0\x80", "\xC0\x80", "\u202E", " "};
        std::string out;
        const std::size_t length = below(longest + 1);
        while (out.size() < length) {
            if (one_in(8)) {
                out += static_cast<char>(below(256));
            } else {
                out += one_of(kPieces);
            }
        }
        return out;
    }

    // A format file with pieces of the language in any order.
    std::string patterns() {
        constexpr std::string_view kPieces[] = {"#",
                                                "@",
                                                "?",
                                                "[A-Z]",
                                                "[京-沪]",
                                                "(",
                                                ")",
                                                "|",
                                                "{1,64}",
                                                "{0,64}",
                                                "{64}",
                                                "{2}",
                                                "<a>",
                                                "<b>",
                                                "A",
                                                "皖",
                                                "\\",
                                                " ",
                                                "\n<a> = ",
                                                "\n<b> = ",
                                                "\nf : ",
                                                "\ng 0.5 : ",
                                                "\nh 1e-300 : ",
                                                "?{1,64}",
                                                "(?|#)",
                                                "(a{0,64}){0,16}",
                                                "(#|@){5}",
                                                "{",
                                                "}",
                                                "[",
                                                "]",
                                                "//",
                                                "\xFF",
                                                "(?{0,8}#){0,8}"};
        std::string out = one_in(2) ? "<a> = (#|@){1,4}\n<b> = (<a>?){0,8}\nf : " : "f : ";
        const std::size_t pieces = below(40);
        for (std::size_t i = 0; i < pieces; ++i) out += one_of(kPieces);
        return out;
    }
};

// An enumerator as C lets it be: any number.
template <class Enum>
Enum any_number(int number) {
    Enum value;
    static_assert(sizeof(value) == sizeof(number));
    std::memcpy(&value, &number, sizeof(value));
    return value;
}

class Cases {
public:
    explicit Cases(std::uint64_t seed) : values_(seed) {}

    void run_one() {
        switch (values_.below(17)) {
            case 0:
            case 1: picture(); break;
            case 2: region(); break;
            case 3: quad(); break;
            case 4: decoding(); break;
            case 5: formats(); break;
            case 6: vote(); break;
            case 7: known_plates(); break;
            case 8: options(); break;
            case 9: model(); break;
            case 10: numbers(); break;
            case 11: moved_from(); break;
            case 12: c_picture(); break;
            case 13: c_decoding(); break;
            case 14: c_nulls(); break;
            case 15: c_numbers(); break;
            case 16: c_options(); break;
        }
    }

private:
    static constexpr int kSide = 94;

    // A view that is wrong in some places, or, at times, right. What is not refused is read, and so
    // has to lie in memory_: the rest of the numbers is chosen to fit then.
    ImageView view() {
        ImageView view = {memory_.data(), kSide, 24, 4 * kSide,
                          kPixelFormats[values_.below(std::size(kPixelFormats))].format};
        const std::size_t faults = values_.below(3);
        for (std::size_t i = 0; i < faults; ++i) {
            switch (values_.below(8)) {
                case 0:
                    view.data = values_.one_in(2) ? nullptr : memory_.data() + values_.below(9);
                    break;
                case 1: view.width = values_.integer(); break;
                case 2: view.height = values_.integer(); break;
                case 3: view.stride = values_.stride(); break;
                case 4: view.format = static_cast<PixelFormat>(values_.integer()); break;
                case 5: view.chroma = values_.one_in(2) ? nullptr : memory_.data() + 3; break;
                case 6: view.chroma_v = values_.one_in(2) ? nullptr : memory_.data() + 5; break;
                case 7: view.chroma_stride = values_.stride(); break;
            }
        }
        return view;
    }

    // Whether all that may be read of an accepted view lies in memory_, counted in wide numbers.
    bool lies_in_memory(const ImageView& view) const {
        const auto extent = [](long double rows, std::ptrdiff_t stride, long double row) {
            return (rows - 1.0L) * std::fabs(static_cast<long double>(stride)) + row;
        };
        const auto inside = [&](const std::uint8_t* begin, long double behind) {
            if (begin < memory_.data() || begin >= memory_.data() + memory_.size()) return false;
            return static_cast<long double>(begin - memory_.data()) + behind <=
                   static_cast<long double>(memory_.size());
        };
        if (view.data == nullptr) return true;  // refused
        if (view.stride < 0 || view.chroma_stride < 0) return false;
        const long double row = 4.0L * std::max(view.width, 1) + 4.0L;
        const long double rows = std::max(view.height, 1);
        const long double whole =
            extent(rows, view.stride, row) +
            extent(rows + 2.0L, std::max(view.stride, view.chroma_stride), row);
        if (!inside(view.data, whole)) return false;
        const long double chroma = extent(rows, std::max(view.stride, view.chroma_stride), row);
        return (view.chroma == nullptr || inside(view.chroma, chroma)) &&
               (view.chroma_v == nullptr || inside(view.chroma_v, chroma));
    }

    bool is_sound(const ImageView& view) const {
        return view.data != nullptr && view.width >= 1 && view.width <= 32768 && view.height >= 1 &&
               view.height <= 32768 && !traits_of(view.format).name.empty();
    }

    // Calls read(view) where that cannot read what is not ours.
    template <class Read>
    void with_view(Read read) {
        const ImageView image = view();
        // Strides above the limit are refused whatever the memory.
        constexpr std::ptrdiff_t kMost = std::ptrdiff_t{1} << 30;
        const auto far = [&](std::ptrdiff_t stride) { return stride > kMost || stride < -kMost; };
        if (is_sound(image) && !far(image.stride) && !lies_in_memory(image)) return;
        const Status status = read(image);
        const bool ok = check_status(status);
        if (!is_sound(image) || far(image.stride))
            check(!ok, "a picture that is none was accepted");
    }

    void picture() {
        with_view([&](const ImageView& image) { return recognizer_.set_image(image); });
        if (!values_.one_in(50)) return;
        with_view([&](const ImageView& image) {
            Reading reading;
            reading.text = "before";
            Status status = recognizer_.read(image, reading);
            if (!status) check(reading.text.empty(), "an error that leaves a text");
            check_reading(reading);
            return status;
        });
    }

    void region() {
        const Region part = {values_.integer(), values_.integer(), values_.integer(),
                             values_.integer()};
        const bool inside = part.x >= 0 && part.y >= 0 && part.width > 0 && part.height > 0 &&
                            part.x <= kSide - part.width && part.y <= 24 - part.height;
        check(check_status(recognizer_.set_image(good_, part)) == inside,
              "a region is accepted although it lies outside, or refused although inside");
        with_view([&](const ImageView& image) { return recognizer_.set_image(image, part); });
    }

    void quad() {
        Quad plate = quad_of({1, 2, 60, 15}, values_.integer());
        for (Point* point :
             {&plate.top_left, &plate.top_right, &plate.bottom_right, &plate.bottom_left}) {
            if (values_.one_in(2)) point->x = values_.small_real();
            if (values_.one_in(2)) point->y = values_.small_real();
        }
        check_status(recognizer_.set_image(good_, plate));
        if (values_.one_in(3)) plate = quad_of({values_.integer(), 1, values_.integer(), 9}, 1);
        with_view([&](const ImageView& image) { return recognizer_.set_image(image, plate); });
    }

    void decoding() {
        DecodeOptions options;
        if (values_.one_in(2)) options.decoder = static_cast<Decoder>(values_.integer());
        if (values_.one_in(2)) options.candidates = values_.integer();
        if (values_.one_in(2)) options.beam_width = values_.integer();
        if (values_.one_in(2)) options.temperature = values_.real();
        const bool has_provinces = values_.one_in(3);
        if (has_provinces) options.provinces = values_.one_in(2) ? "粤" : values_.text(20) + "?";
        const int decoder = static_cast<int>(options.decoder);
        const double t = options.temperature;
        const bool good =
            decoder >= 0 && decoder <= 2 && options.candidates >= 1 && options.candidates <= 100 &&
            options.beam_width >= 0 && options.beam_width <= 1000 &&
            (t == 0.0 || (t >= 0.05 && t <= 20.0)) &&
            (!has_provinces || (options.decoder == Decoder::grammar && options.provinces == "粤"));
        check(check_status(recognizer_.set_decoding(options)) == good,
              "decoding options are accepted or refused the other way");
        check(is_share(reject_above(options.decoder)), "reject_above outside 0..1");
        if (good) decode();
    }

    // With the logits that are there.
    void decode() {
        Reading reading;
        check_status(recognizer_.decode(reading));
        check_reading(reading);
    }

    void formats() {
        const std::string text = values_.one_in(4) ? values_.text(300) : values_.patterns();
        const Result<Patterns> patterns = Patterns::parse(text, "patterns");
        check_result(Patterns::builtin(values_.text(40)));
        if (!check_result(patterns)) return;
        const auto writable = patterns->writable(model_);
        check(check_result(writable) && writable->size() == patterns->formats().size(),
              "another number of formats");
        DecodeOptions options;
        options.decoder = static_cast<Decoder>(values_.below(3));
        options.patterns = *patterns;
        if (check_status(recognizer_.set_decoding(options))) decode();
    }

    void vote() {
        if (values_.one_in(10)) vote_.clear();
        Reading reading;
        reading.text = values_.text(30);
        reading.confidence = values_.small_real();
        const std::size_t candidates = values_.one_in(20) ? 3000 : values_.below(6);
        for (std::size_t i = 0; i < candidates; ++i) {
            reading.candidates.push_back({values_.text(values_.one_in(50) ? 2000 : 20),
                                          values_.small_real(), values_.integer()});
        }
        reading.characters.resize(values_.one_in(20) ? 3000 : values_.below(9));
        for (Character& character : reading.characters) {
            character.text = values_.text(3);
            character.confidence = values_.small_real();
            character.alternative_count = values_.integer();
            for (Alternative& other : character.alternatives) {
                other = {values_.text(3), values_.small_real()};
            }
        }
        check(vote_.add(reading).ok(), "a reading is refused");
        const std::size_t count =
            values_.one_in(2) ? 5 : static_cast<std::size_t>(values_.stride());
        const auto answer = vote_.answer(count);
        check(answer.ok(), "no answer");
        check(is_share(answer->confidence) && is_share(answer->margin), "a share outside 0..1");
        check(answer->candidates.size() <= count, "too many candidates");
        for (const Candidate& candidate : answer->candidates) {
            check(is_share(candidate.confidence), "a candidate's share outside 0..1");
        }
    }

    void known_plates() {
        std::vector<std::string> plates(values_.below(60));
        for (std::string& plate : plates) {
            plate = values_.text(values_.one_in(30) ? 50000 : 20);
        }
        std::string text = values_.text(values_.one_in(30) ? 50000 : 20);
        if (!plates.empty() && values_.one_in(2)) text = plates.front();
        const std::size_t count =
            values_.one_in(2) ? 5 : static_cast<std::size_t>(values_.stride());
        const KnownPlates known(plates);
        const double least = values_.real();
        const auto matches = known.find(text, count, least);
        check(matches.ok() && matches->size() <= count, "too many matches");
        for (const KnownPlates::Match& match : *matches) {
            check(match.index < plates.size(), "a match that is not in the list");
            check(match.likelihood >= 0.0 && match.likelihood <= 1.0, "a likelihood outside 0..1");
        }
    }

    void options() {
        RecognizerOptions options;
        options.isa = values_.one_in(2) ? "" : values_.text(values_.one_in(20) ? 100000 : 20);
        options.threads = values_.integer();
        if (options.threads >= 1 && options.threads <= 64) options.threads = 65;  // would be made
        if (values_.one_in(2)) {
            options.threads = 1;
            options.tuning = "lprnet tuning 1\n" + values_.text(200) + "\nconv " + values_.text(9);
        }
        check(!check_result(Recognizer::create(model_, options)) || options.isa.empty(),
              "an instruction set that nobody has");
    }

    void model() {
        // At any alignment, cut and changed anywhere in the front.
        const std::span<const std::byte> whole = builtin_model_bytes("fp32");
        const std::size_t shift = values_.below(8);
        const std::size_t size = values_.one_in(3) ? values_.below(64) : 2048 + values_.below(6000);
        std::vector<std::byte> bytes(shift + size);
        std::copy_n(whole.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(shift));
        const std::size_t changes = values_.below(5);
        for (std::size_t i = 0; i < changes && size > 0; ++i) {
            bytes[shift + values_.below(size)] = static_cast<std::byte>(values_.below(256));
        }
        check(!check_result(Model::from_memory({bytes.data() + shift, size}, "memory")),
              "a model without its end");
        check_result(Model::builtin(values_.text(20)));
        check(!check_result(Model::load("/nowhere/" + values_.text(300))), "a file from nowhere");
    }

    // The input tensor itself, which anybody may write.
    void numbers() {
        if (!values_.one_in(10)) return;
        const std::span<float> input = recognizer_.input();
        for (float& value : input) value = values_.one_in(50) ? values_.small_real() : 0.25f;
        recognizer_.infer();
        Reading reading;
        check_status(recognizer_.decode(reading));
        check_reading(reading);
        check_status(recognizer_.set_image(good_));
        recognizer_.infer();
    }

    void moved_from() {
        if (!values_.one_in(10)) return;
        Recognizer first = needed(recognizer_.clone());
        Recognizer second = std::move(first);
        Reading reading;
        check(!first.read(good_, reading).ok() && !first.clone().ok() &&  // NOLINT: on purpose
                  !first.set_decoding({}).ok() && !first.set_image(good_).ok() &&
                  !first.decode(reading).ok() && !first.read(good_).ok(),
              "a recognizer that was moved from works");
        first.infer();
        check(first.input().empty() && first.logits().empty() && first.threads() == 0 &&
                  first.arena_bytes() == 0 && first.packed_bytes() == 0 && *first.isa() == '\0',
              "a recognizer that was moved from holds something");
        first = std::move(second);
        check(first.set_image(good_).ok(), "a recognizer that was given back does not work");
        Model model = model_;
        const Model other = std::move(model);
        check(model.name() == other.name(), "a model that was moved from");  // NOLINT: on purpose
    }

    void c_picture() {
        with_view([&](const ImageView& view) -> Status {
            lpr_image image = {};
            image.data = view.data;
            image.width = view.width;
            image.height = view.height;
            image.stride = view.stride;
            image.format = any_number<lpr_pixel_format>(static_cast<int>(view.format));
            image.chroma = view.chroma;
            image.chroma_v = view.chroma_v;
            image.chroma_stride = view.chroma_stride;
            // Outside, so that no network has to run.
            const lpr_region region = {values_.integer(), -1, values_.integer(), values_.integer()};
            const lpr_quad quad = {{values_.small_real(), 1, values_.small_real(), 0},
                                   {values_.small_real(), 0, values_.small_real(), 5},
                                   values_.one_in(2) ? 3 : values_.integer()};
            if (values_.one_in(100)) {
                return c_status([&](lpr_reading* reading, char* error, std::size_t size) {
                    return lpr_read(c_recognizer_, &image, reading, error, size);
                });
            }
            if (values_.one_in(2) && quad.rows != 1 && quad.rows != 2) {
                return c_status([&](lpr_reading* reading, char* error, std::size_t size) {
                    return lpr_read_quad(c_recognizer_, &image, &quad, reading, error, size);
                });
            }
            return c_status([&](lpr_reading* reading, char* error, std::size_t size) {
                return lpr_read_region(c_recognizer_, &image, &region, reading, error, size);
            });
        });
    }

    template <class Call>
    Status c_status(Call call) {
        lpr_reading reading;
        reading.struct_size = values_.one_in(5) ? values_.below(99999) : sizeof(reading);
        std::strcpy(reading.text, "before");
        std::vector<char> error(values_.below(200), 'x');
        const lpr_status status =
            call(&reading, error.empty() ? nullptr : error.data(), error.size());
        if (status == LPR_OK) return {};
        check(std::strcmp(reading.text, "before") == 0, "an error that changes the reading");
        check(error.empty() || std::find(error.begin(), error.end(), '\0') != error.end(),
              "a message without an end");
        return Error{ErrorCode::invalid_argument, lpr_status_string(status)};
    }

    void c_decoding() {
        lpr_decoding decoding = {};
        decoding.struct_size = values_.one_in(5) ? values_.below(999) : sizeof(decoding);
        decoding.decoder = any_number<lpr_decoder>(values_.one_in(2) ? values_.integer() : 2);
        decoding.candidates = values_.one_in(2) ? values_.integer() : 3;
        decoding.beam_width = values_.one_in(2) ? values_.integer() : 0;
        decoding.temperature = values_.one_in(2) ? values_.real() : 0.0;
        const std::string patterns = values_.one_in(4) ? values_.text(200) : values_.patterns();
        if (values_.one_in(2)) decoding.patterns = patterns.c_str();
        const std::string provinces = values_.one_in(2) ? "粤" : values_.text(20);
        if (values_.one_in(3)) decoding.provinces = provinces.c_str();
        char error[300] = "";
        const lpr_status status =
            lpr_recognizer_set_decoding(c_recognizer_, &decoding, error, values_.below(300));
        check(std::memchr(error, 0, sizeof(error)) != nullptr, "a message without an end");
        check(status != LPR_OK || decoding.struct_size == sizeof(decoding) ||
                  decoding.struct_size == offsetof(lpr_decoding, provinces),
              "a wrong size");
    }

    void c_options() {
        lpr_options options = {};
        options.struct_size =
            values_.one_in(5) ? static_cast<std::size_t>(values_.stride()) : sizeof(options);
        const auto text = [&](std::string_view good) {
            return values_.one_in(3) ? values_.text(values_.one_in(20) ? 100000 : 20)
                                     : std::string(good);
        };
        const std::string precision = text(values_.one_in(2) ? "fp32" : "int8");
        const std::string isa = text("reference");
        const std::string tuning = text("lprnet tuning 1\nconv * ") + values_.text(9);
        if (values_.one_in(2)) options.precision = precision.c_str();
        if (values_.one_in(2)) options.isa = isa.c_str();
        if (values_.one_in(2)) options.tuning = tuning.c_str();
        options.threads = values_.one_in(2) ? values_.integer() : 0;
        if (options.threads > 1 && options.threads <= LPR_MAX_THREADS) {
            options.threads += LPR_MAX_THREADS;  // would be made
        }
        lpr_decoding decoding = {};
        decoding.struct_size = values_.one_in(5) ? values_.below(999) : sizeof(decoding);
        decoding.decoder = any_number<lpr_decoder>(values_.one_in(2) ? values_.integer() : 2);
        decoding.candidates = values_.integer();
        const std::string patterns = values_.patterns();
        if (values_.one_in(2)) decoding.patterns = patterns.c_str();
        if (values_.one_in(2)) options.decoding = &decoding;
        const lpr_model* model = values_.one_in(4) ? nullptr : c_model_;
        // The handle of before is not freed, and not left there.
        lpr_recognizer* made = c_recognizer_;
        char error[300] = "";
        const lpr_status status = lpr_recognizer_open(values_.one_in(10) ? nullptr : model,
                                                      &options, &made, error, values_.below(300));
        check(std::memchr(error, 0, sizeof(error)) != nullptr, "a message without an end");
        check((status == LPR_OK) == (made != nullptr), "a handle with an error, or none without");
        check(made != c_recognizer_, "the handle of before");
        const bool sound = options.struct_size == sizeof(options) && options.threads >= 0 &&
                           options.threads <= LPR_MAX_THREADS;
        check(status != LPR_OK || sound, "options that are none are accepted");
        if (status == LPR_OK) check(lpr_recognizer_threads(made) == 1, "another number of threads");
        lpr_recognizer_free(made);
    }

    void c_nulls() {
        const lpr_image image = {good_.data, good_.width,  good_.height,   good_.stride,
                                 LPR_BGR,    good_.chroma, good_.chroma_v, 0};
        const lpr_region region = {0, 0, -1, -1};
        const lpr_quad quad = {};
        lpr_reading reading;
        reading.struct_size = sizeof(reading);
        const lpr_decoding decoding = {};
        char text[64] = "";
        char* error = values_.one_in(2) ? nullptr : text;
        const std::size_t size = error == nullptr ? values_.below(2) * 64 : values_.below(65);
        const auto null = [&](auto* pointer) { return values_.one_in(2) ? nullptr : pointer; };
        const auto refused = [](lpr_status status) {
            check(status == LPR_INVALID_ARGUMENT, "a null pointer is accepted");
        };
        lpr_recognizer* const with = null(c_recognizer_);
        refused(lpr_read(with, nullptr, null(&reading), error, size));
        refused(lpr_read(nullptr, null(&image), null(&reading), error, size));
        refused(lpr_read(with, null(&image), nullptr, error, size));
        refused(lpr_read_region(with, null(&image), null(&region), null(&reading), error, size));
        refused(lpr_read_quad(with, null(&image), null(&quad), null(&reading), error, size));
        refused(lpr_recognizer_set_decoding(with, null(&decoding), error, size));
        refused(lpr_recognizer_clone(nullptr, nullptr, error, size));
        refused(lpr_recognizer_clone(with, nullptr, error, size));
        refused(lpr_recognizer_create(nullptr, nullptr, nullptr, error, size));
        refused(lpr_recognizer_create(c_model_, null("avx2"), nullptr, error, size));
        refused(lpr_model_load(null("x"), nullptr, error, size));
        refused(lpr_model_from_memory(null(text), values_.below(99999), nullptr, error, size));
        refused(lpr_model_builtin(nullptr, error, size));
        refused(lpr_model_builtin_precision(null("int8"), nullptr, error, size));
        const lpr_options options = {};
        refused(lpr_recognizer_open(null(c_model_), null(&options), nullptr, error, size));
        lpr_recognizer* none = nullptr;
        refused(lpr_recognizer_open(null(c_model_), nullptr, &none, error, size));
        check(none == nullptr && *lpr_model_precision(nullptr) == '\0' &&
                  *lpr_recognizer_isa(nullptr) == '\0' && lpr_recognizer_threads(nullptr) == 0,
              "something of nothing");
        lpr_model* model = nullptr;
        refused(lpr_model_from_memory(nullptr, values_.below(99999), &model, error, size));
        check(lpr_model_from_memory(text, 0, &model, error, size) == LPR_MALFORMED,
              "a model without bytes");
        lpr_model_free(nullptr);
        lpr_recognizer_free(nullptr);
    }

    void c_numbers() {
        const int number = values_.integer();
        check(*lpr_status_string(any_number<lpr_status>(number)) != '\0',
              "a status without a name");
        check(is_share(lpr_reject_above(any_number<lpr_decoder>(number))),
              "lpr_reject_above outside 0..1");
        const std::int64_t limit = lpr_limit(any_number<lpr_limit_name>(number));
        check(number >= LPR_LIMIT_CANDIDATES && number <= LPR_LIMIT_IMAGE_SIDE ? limit > 0
                                                                               : limit == -1,
              "a limit of nothing, or none of something");
        const auto format = static_cast<PixelFormat>(values_.integer());
        static_cast<void>(row_bytes(format, values_.integer()));
        static_cast<void>(image_bytes(format, values_.integer(), values_.stride()));
        static_cast<void>(channels(format));
    }

    Values values_;
    std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(1 << 20, 77);
    ImageView good_ = {memory_.data(), kSide, 24, 3 * kSide, PixelFormat::bgr};
    Model model_ = needed(Model::builtin());
    Recognizer recognizer_ = needed(Recognizer::create(model_));
    Vote vote_;
    lpr_model* c_model_ = nullptr;
    lpr_recognizer* c_recognizer_ = nullptr;

public:
    // Before the first case.
    void prepare() {
        check(lpr_model_builtin(&c_model_, nullptr, 0) == LPR_OK, "lpr_model_builtin");
        check(lpr_recognizer_create(c_model_, nullptr, &c_recognizer_, nullptr, 0) == LPR_OK,
              "lpr_recognizer_create");
        check_status(recognizer_.set_image(good_));
        recognizer_.infer();
    }
    ~Cases() {
        lpr_recognizer_free(c_recognizer_);
        lpr_model_free(c_model_);
    }
    Cases(const Cases&) = delete;
    Cases& operator=(const Cases&) = delete;
};

std::uint64_t current_case = 0;
std::uint64_t first_seed = 1;

void fail(const std::string& what) {
    std::fprintf(stderr, "FAILED: case %llu of seed %llu: %s\n",
                 static_cast<unsigned long long>(current_case),
                 static_cast<unsigned long long>(first_seed), what.c_str());
    std::exit(1);
}

int run(int argc, char** argv) {
    const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10000;
    if (argc > 2) first_seed = std::strtoull(argv[2], nullptr, 10);
    if (builtin_model_bytes("fp32").empty()) {
        std::printf("skipped: this library was built without a model\n");
        return 77;
    }
    Cases cases(first_seed);
    cases.prepare();
    for (; current_case < count; ++current_case) {
        ::alarm(kPatience);
        cases.run_one();
    }
    ::alarm(0);
    std::printf("%llu cases\n", static_cast<unsigned long long>(count));
    return 0;
}

}  // namespace
}  // namespace lprnet::test

int main(int argc, char** argv) {
    return lprnet::test::run(argc, argv);
}
