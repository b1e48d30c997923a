// The C interface as a thin layer over the C++ one.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <tuple>
#include <utility>

#include "engine/boundary.h"
#include "lprnet/lprnet.h"
#include "lprnet/recognizer.h"
#include "lprnet/version.h"

struct lpr_model {
    lprnet::Model model;
};

struct lpr_recognizer {
    lprnet::Recognizer recognizer;
    lprnet::Reading reading;  // kept so that a warm call allocates nothing
};

namespace {

// False if `from` does not fit.
template <std::size_t N>
bool copy_text(const std::string& from, char (&to)[N]) noexcept {
    if (from.size() >= N) return false;
    std::memcpy(to, from.c_str(), from.size() + 1);
    return true;
}

lpr_status fail(lpr_status status, const char* message, char* error, std::size_t size) noexcept {
    if (error != nullptr && size > 0) {
        const std::size_t n = std::min(std::strlen(message), size - 1);
        std::memcpy(error, message, n);
        error[n] = '\0';
    }
    return status;
}

lpr_status fail(const lprnet::Error& e, char* error, std::size_t size) noexcept {
    lpr_status status = LPR_INVALID_ARGUMENT;
    switch (e.code) {
        case lprnet::ErrorCode::invalid_argument: status = LPR_INVALID_ARGUMENT; break;
        case lprnet::ErrorCode::not_found: status = LPR_NOT_FOUND; break;
        case lprnet::ErrorCode::malformed: status = LPR_MALFORMED; break;
        case lprnet::ErrorCode::mismatch: status = LPR_MISMATCH; break;
        case lprnet::ErrorCode::unsupported: status = LPR_UNSUPPORTED; break;
        case lprnet::ErrorCode::out_of_memory: status = LPR_OUT_OF_MEMORY; break;
        // Only of lprnet::bpu, which has no interface in C.
        case lprnet::ErrorCode::device_failed:
        case lprnet::ErrorCode::timed_out: break;
    }
    return fail(status, e.message.c_str(), error, size);
}

lpr_status null_argument(const char* name, char* error, std::size_t size) noexcept {
    if (error != nullptr && size > 0) std::snprintf(error, size, "%s is NULL", name);
    return LPR_INVALID_ARGUMENT;
}

// Copies what the caller's struct has, the rest being zero already. `first_size`: of the struct in
// the first header that had it, in which no gap was behind the last member that one added later
// could fill unseen.
template <class Struct>
lprnet::Status copy_struct(const Struct& from, std::size_t first_size, const char* name,
                           Struct& to) {
    const std::size_t found = from.struct_size;
    // Not a size between them: it would cut a member.
    if (found == first_size || found == sizeof(to)) {
        std::memcpy(&to, &from, found);
        return {};
    }
    std::string message = std::string(name) + "->struct_size is " + std::to_string(found) +
                          ", expected " + std::to_string(sizeof(to));
    if (found > sizeof(to)) message += ": this library is older than the header";
    return lprnet::Error{lprnet::ErrorCode::invalid_argument, std::move(message)};
}

bool has_text(const char* text) noexcept {
    return text != nullptr && *text != '\0';
}

std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

template <class Handle, class... Parts>
lpr_status hand_over(Handle** out, char* error, std::size_t size, Parts&&... parts) noexcept {
    *out = new (std::nothrow) Handle{std::forward<Parts>(parts)...};
    return *out != nullptr ? LPR_OK : fail(LPR_OUT_OF_MEMORY, "out of memory", error, size);
}

// The number in an enumeration that a caller filled in: C lets any int be there, but in C++ to read
// one beyond the enumerators is undefined.
template <class Enum>
int number_of(const Enum& filled_in) noexcept {
    static_assert(sizeof(Enum) == sizeof(int));
    int number = 0;
    std::memcpy(&number, &filled_in, sizeof(number));
    return number;
}

lpr_status hand_over_model(lprnet::Result<lprnet::Model> model, lpr_model** out, char* error,
                           std::size_t size) noexcept {
    if (!model) return fail(model.error(), error, size);
    return hand_over(out, error, size, std::move(*model));
}

lpr_status hand_over_recognizer(lprnet::Result<lprnet::Recognizer> recognizer, lpr_recognizer** out,
                                char* error, std::size_t size) noexcept {
    if (!recognizer) return fail(recognizer.error(), error, size);
    return hand_over(out, error, size, std::move(*recognizer), lprnet::Reading{});
}

static_assert(std::tuple_size_v<decltype(lprnet::Character::alternatives)> == LPR_MAX_ALTERNATIVES);

static_assert(LPR_MAX_CANDIDATES <= lprnet::kMaxCandidates);
static_assert(LPR_MAX_BEAM_WIDTH == lprnet::kMaxBeamWidth);
static_assert(LPR_MAX_PATTERN_BYTES == lprnet::kMaxPatternBytes);
static_assert(LPR_MAX_THREADS == lprnet::kMaxThreads);
static_assert(LPR_MAX_TUNING_BYTES == lprnet::kMaxTuningBytes);
static_assert(LPR_MAX_IMAGE_SIDE == lprnet::kMaxImageSide);

lprnet::Result<lprnet::DecodeOptions> decode_options(const lpr_decoding& given) {
    const auto bad = [](const char* what) {
        return lprnet::Error{lprnet::ErrorCode::invalid_argument, what};
    };
    constexpr std::size_t kFirstSize =
        offsetof(lpr_decoding, temperature) + sizeof(given.temperature);
    lpr_decoding decoding = {};
    const lprnet::Status copied = copy_struct(given, kFirstSize, "decoding", decoding);
    if (!copied) return copied.error();
    const auto decoder = static_cast<lprnet::Decoder>(number_of(decoding.decoder));
    if (lprnet::traits_of(decoder).name.empty()) {
        return bad("decoding->decoder is not an lpr_decoder");
    }
    if (decoding.candidates > LPR_MAX_CANDIDATES) {
        return bad("decoding->candidates is above LPR_MAX_CANDIDATES");
    }
    lprnet::DecodeOptions options;
    options.decoder = decoder;
    options.candidates = decoding.candidates == 0 ? 1 : decoding.candidates;
    options.beam_width = decoding.beam_width;
    options.temperature = decoding.temperature;
    options.provinces = text_or_empty(decoding.provinces);
    if (decoding.patterns != nullptr) {
        auto patterns = lprnet::Patterns::parse(decoding.patterns, "patterns");
        if (!patterns) return patterns.error();
        options.patterns = std::move(*patterns);
    }
    return options;
}

lprnet::Result<lprnet::RecognizerOptions> recognizer_options(const lpr_options& given) {
    lprnet::RecognizerOptions options;
    options.isa = text_or_empty(given.isa);
    options.threads = given.threads == 0 ? 1 : given.threads;
    options.tuning = text_or_empty(given.tuning);
    if (given.decoding != nullptr) {
        auto decoding = decode_options(*given.decoding);
        if (!decoding) return decoding.error();
        options.decoding = std::move(*decoding);
    }
    return options;
}

lprnet::ImageView view_of(const lpr_image& image) noexcept {
    return {image.data,
            image.width,
            image.height,
            image.stride,
            static_cast<lprnet::PixelFormat>(number_of(image.format)),
            image.chroma,
            image.chroma_v,
            image.chroma_stride};
}

// Rather than a part of what does not fit.
void read_nothing(lpr_reading& reading) noexcept {
    reading.text[0] = '\0';
    reading.confidence = 0.0f;
    reading.reject_score = 1.0f;
    reading.character_count = 0;
    reading.candidate_count = 0;
}

lpr_status copy_reading(const lprnet::Reading& from, lpr_reading* to, char* error,
                        std::size_t size) noexcept {
    bool fits = from.characters.size() <= LPR_MAX_CHARACTERS && copy_text(from.text, to->text);
    to->confidence = from.confidence;
    to->reject_score = from.reject_score;
    to->character_count = 0;
    to->candidate_count = 0;
    for (std::size_t i = 0; fits && i < from.characters.size(); ++i) {
        const lprnet::Character& character = from.characters[i];
        lpr_character& out = to->characters[i];
        fits = copy_text(character.text, out.text);
        out.confidence = character.confidence;
        out.first_step = character.first_step;
        out.last_step = character.last_step;
        out.alternative_count = character.alternative_count;
        for (std::size_t k = 0; k < character.alternatives.size(); ++k) {
            fits = fits && copy_text(character.alternatives[k].text, out.alternatives[k].text);
            out.alternatives[k].confidence = character.alternatives[k].confidence;
        }
        to->character_count = static_cast<int32_t>(i) + 1;
    }
    for (std::size_t i = 0; fits && i < from.candidates.size() && i < LPR_MAX_CANDIDATES; ++i) {
        const lprnet::Candidate& candidate = from.candidates[i];
        lpr_candidate& out = to->candidates[i];
        fits = copy_text(candidate.text, out.text);
        out.confidence = candidate.confidence;
        out.format = candidate.format;
        to->candidate_count = static_cast<int32_t>(i) + 1;
    }
    if (fits) return LPR_OK;
    read_nothing(*to);
    return fail(LPR_MISMATCH, "the reading is longer than lpr_reading can hold", error, size);
}

// What the reading functions have in common; `read` is one call of Recognizer::read().
template <class Read>
lpr_status checked_read(lpr_recognizer* recognizer, const lpr_image* image, lpr_reading* reading,
                        char* error, std::size_t size, Read read) noexcept {
    if (recognizer == nullptr) return null_argument("recognizer", error, size);
    if (image == nullptr) return null_argument("image", error, size);
    if (reading == nullptr) return null_argument("reading", error, size);
    if (reading->struct_size != sizeof(lpr_reading)) {
        return fail(LPR_INVALID_ARGUMENT,
                    "reading->struct_size is not sizeof(lpr_reading) of this library", error, size);
    }
    if (lprnet::traits_of(view_of(*image).format).name.empty()) {
        return fail(LPR_INVALID_ARGUMENT, "image->format is not an lpr_pixel_format", error, size);
    }
    if (lprnet::Status status = read(recognizer->recognizer, view_of(*image), recognizer->reading);
        !status) {
        return fail(status.error(), error, size);
    }
    return copy_reading(recognizer->reading, reading, error, size);
}

}  // namespace

const char* lpr_version(void) {
    return LPRNET_VERSION;
}

const char* lpr_status_string(lpr_status status) {
    switch (number_of(status)) {
        case LPR_OK: return "ok";
        case LPR_INVALID_ARGUMENT: return "invalid_argument";
        case LPR_NOT_FOUND: return "not_found";
        case LPR_MALFORMED: return "malformed";
        case LPR_MISMATCH: return "mismatch";
        case LPR_UNSUPPORTED: return "unsupported";
        case LPR_OUT_OF_MEMORY: return "out_of_memory";
        default: return "unknown";
    }
}

int64_t lpr_limit(lpr_limit_name name) {
    switch (number_of(name)) {
        case LPR_LIMIT_CANDIDATES: return LPR_MAX_CANDIDATES;
        case LPR_LIMIT_BEAM_WIDTH: return LPR_MAX_BEAM_WIDTH;
        case LPR_LIMIT_PATTERN_BYTES: return LPR_MAX_PATTERN_BYTES;
        case LPR_LIMIT_THREADS: return LPR_MAX_THREADS;
        case LPR_LIMIT_TUNING_BYTES: return LPR_MAX_TUNING_BYTES;
        case LPR_LIMIT_IMAGE_SIDE: return LPR_MAX_IMAGE_SIDE;
        default: return -1;
    }
}

lpr_status lpr_model_load(const char* path, lpr_model** model, char* error, size_t error_size) {
    if (path == nullptr) return null_argument("path", error, error_size);
    if (model == nullptr) return null_argument("model", error, error_size);
    *model = nullptr;
    return hand_over_model(lprnet::guarded([&]() -> lprnet::Result<lprnet::Model> {
                               return lprnet::Model::load(path);
                           }),
                           model, error, error_size);
}

lpr_status lpr_model_from_memory(const void* bytes, size_t size, lpr_model** model, char* error,
                                 size_t error_size) {
    if (bytes == nullptr) return null_argument("bytes", error, error_size);
    if (model == nullptr) return null_argument("model", error, error_size);
    *model = nullptr;
    return hand_over_model(lprnet::guarded([&]() -> lprnet::Result<lprnet::Model> {
                               return lprnet::Model::from_memory(
                                   {static_cast<const std::byte*>(bytes), size}, "memory");
                           }),
                           model, error, error_size);
}

lpr_status lpr_model_builtin(lpr_model** model, char* error, size_t error_size) {
    return lpr_model_builtin_precision(nullptr, model, error, error_size);
}

lpr_status lpr_model_builtin_precision(const char* precision, lpr_model** model, char* error,
                                       size_t error_size) {
    if (model == nullptr) return null_argument("model", error, error_size);
    *model = nullptr;
    return hand_over_model(lprnet::Model::builtin(has_text(precision) ? precision : "fp32"), model,
                           error, error_size);
}

const char* lpr_model_precision(const lpr_model* model) {
    return model != nullptr ? model->model.precision() : "";
}

void lpr_model_free(lpr_model* model) {
    delete model;
}

lpr_status lpr_recognizer_create(const lpr_model* model, const char* isa,
                                 lpr_recognizer** recognizer, char* error, size_t error_size) {
    lpr_options options = {};
    options.struct_size = sizeof(options);
    options.isa = isa;
    return lpr_recognizer_open(model, &options, recognizer, error, error_size);
}

lpr_status lpr_recognizer_open(const lpr_model* model, const lpr_options* options,
                               lpr_recognizer** recognizer, char* error, size_t error_size) {
    if (recognizer == nullptr) return null_argument("recognizer", error, error_size);
    *recognizer = nullptr;
    if (options == nullptr) return null_argument("options", error, error_size);
    // The first one ended with a pointer.
    constexpr std::size_t kFirstSize = offsetof(lpr_options, decoding) + sizeof(options->decoding);
    static_assert(sizeof(lpr_options) == kFirstSize);
    lpr_options given = {};
    const auto copied =
        lprnet::guarded([&] { return copy_struct(*options, kFirstSize, "options", given); });
    if (!copied) return fail(copied.error(), error, error_size);
    // A model that failed to load must not become the built-in one unnoticed.
    if (model == nullptr && !has_text(given.precision)) {
        return null_argument("model", error, error_size);
    }
    if (model != nullptr && has_text(given.precision)) {
        return fail(LPR_INVALID_ARGUMENT,
                    "options->precision names built-in weights, but there is a model, too", error,
                    error_size);
    }
    return hand_over_recognizer(lprnet::guarded([&]() -> lprnet::Result<lprnet::Recognizer> {
                                    auto how = recognizer_options(given);
                                    if (!how) return how.error();
                                    if (model != nullptr) {
                                        return lprnet::Recognizer::create(model->model, *how);
                                    }
                                    auto builtin = lprnet::Model::builtin(given.precision);
                                    if (!builtin) return builtin.error();
                                    return lprnet::Recognizer::create(*builtin, *how);
                                }),
                                recognizer, error, error_size);
}

lpr_status lpr_recognizer_clone(const lpr_recognizer* recognizer, lpr_recognizer** clone,
                                char* error, size_t error_size) {
    if (recognizer == nullptr) return null_argument("recognizer", error, error_size);
    if (clone == nullptr) return null_argument("clone", error, error_size);
    *clone = nullptr;
    return hand_over_recognizer(recognizer->recognizer.clone(), clone, error, error_size);
}

const char* lpr_recognizer_isa(const lpr_recognizer* recognizer) {
    return recognizer != nullptr ? recognizer->recognizer.isa() : "";
}

int32_t lpr_recognizer_threads(const lpr_recognizer* recognizer) {
    return recognizer != nullptr ? recognizer->recognizer.threads() : 0;
}

void lpr_recognizer_free(lpr_recognizer* recognizer) {
    delete recognizer;
}

lpr_status lpr_recognizer_set_decoding(lpr_recognizer* recognizer, const lpr_decoding* decoding,
                                       char* error, size_t error_size) {
    if (recognizer == nullptr) return null_argument("recognizer", error, error_size);
    if (decoding == nullptr) return null_argument("decoding", error, error_size);
    const lprnet::Status status = lprnet::guarded([&]() -> lprnet::Status {
        auto options = decode_options(*decoding);
        if (!options) return options.error();
        return recognizer->recognizer.set_decoding(*options);
    });
    return status ? LPR_OK : fail(status.error(), error, error_size);
}

float lpr_reject_above(lpr_decoder decoder) {
    return lprnet::reject_above(static_cast<lprnet::Decoder>(number_of(decoder)));
}

lpr_status lpr_read(lpr_recognizer* recognizer, const lpr_image* image, lpr_reading* reading,
                    char* error, size_t error_size) {
    return checked_read(recognizer, image, reading, error, error_size,
                        [](lprnet::Recognizer& with, const lprnet::ImageView& view,
                           lprnet::Reading& result) { return with.read(view, result); });
}

lpr_status lpr_read_region(lpr_recognizer* recognizer, const lpr_image* image,
                           const lpr_region* region, lpr_reading* reading, char* error,
                           size_t error_size) {
    if (region == nullptr) return null_argument("region", error, error_size);
    const lprnet::Region part = {region->x, region->y, region->width, region->height};
    return checked_read(recognizer, image, reading, error, error_size,
                        [&part](lprnet::Recognizer& with, const lprnet::ImageView& view,
                                lprnet::Reading& result) { return with.read(view, part, result); });
}

lpr_status lpr_read_quad(lpr_recognizer* recognizer, const lpr_image* image, const lpr_quad* quad,
                         lpr_reading* reading, char* error, size_t error_size) {
    if (quad == nullptr) return null_argument("quad", error, error_size);
    const lprnet::Quad plate = {{quad->x[0], quad->y[0]},
                                {quad->x[1], quad->y[1]},
                                {quad->x[2], quad->y[2]},
                                {quad->x[3], quad->y[3]},
                                quad->rows};
    return checked_read(
        recognizer, image, reading, error, error_size,
        [&plate](lprnet::Recognizer& with, const lprnet::ImageView& view, lprnet::Reading& result) {
            return with.read(view, plate, result);
        });
}
