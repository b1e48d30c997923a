#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "engine/cli/backend_option.h"
#include "engine/cli/decode_option.h"
#include "engine/cli/frame_text.h"
#include "engine/cli/html_option.h"
#include "engine/cli/inputs.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/notices.h"
#include "engine/cli/number_range.h"
#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/cli/raw_image.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/image_file/image_file.h"
#include "engine/report/read_page.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct ReadOptions {
    ModelOption model;
    BackendOption backend;
    std::vector<std::string> paths;
    DecodeOption decode;
    double min_confidence = 0.0;
    std::optional<RawFormat> raw;
    ImageLimits limits;
    std::optional<Region> roi;
    std::vector<Quad> quads;
    bool two_rows = false;
    bool reject = false;
    bool quiet = false;
    bool json = false;
    HtmlOption html;
};

// What became of the plates that were asked for.
struct Counts {
    std::size_t plates = 0;                   // that were read
    std::size_t rejected = 0, uncertain = 0;  // of them left out
    std::size_t unreadable = 0;
};

struct Times {
    double image = 0.0, infer = 0.0, decode = 0.0;  // ms
};

double milliseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// An image file of either kind, opened.
class OpenedPicture {
public:
    static Result<OpenedPicture> open(const std::string& path, const std::optional<RawFormat>& raw,
                                      const ImageLimits& limits) {
        if (raw) {
            Result<RawImage> image = RawImage::open(path, *raw);
            if (!image) return image.error();
            return OpenedPicture(std::move(*image));
        }
        Result<DecodedImage> image = open_image(path, limits);
        if (!image) return image.error();
        return OpenedPicture(std::move(*image));
    }
    ImageView view() const {
        return std::visit([](const auto& image) { return image.view(); }, image_);
    }

private:
    template <class Image>
    explicit OpenedPicture(Image image) : image_(std::move(image)) {}

    std::variant<DecodedImage, RawImage> image_;
};

// Where the plate is, as corners.
Quad place_of(const ImageView& view, const ReadOptions& options, std::size_t plate) {
    if (!options.quads.empty()) return options.quads[plate];
    return quad_of(options.roi ? *options.roi : Region{0, 0, view.width, view.height});
}

// One plate of a picture: a region, corners, or all of it.
Status set_plate(const ImageView& view, const ReadOptions& options, std::size_t plate,
                 AnyRecognizer& recognizer) {
    if (!options.quads.empty()) return recognizer.set_image(view, options.quads[plate]);
    const Region part = options.roi ? *options.roi : Region{0, 0, view.width, view.height};
    if (!options.two_rows) return recognizer.set_image(view, part);
    return recognizer.set_image(view, quad_of(part, 2));
}

Status read_one(const ImageView& view, const ReadOptions& options, std::size_t plate,
                AnyRecognizer& recognizer, Reading& reading, Times& times) {
    const Clock::time_point begin = Clock::now();
    if (Status status = set_plate(view, options, plate, recognizer); !status) return status;
    const Clock::time_point ready = Clock::now();
    if (Status status = recognizer.infer(); !status) return status;
    const Clock::time_point inferred = Clock::now();
    if (Status status = recognizer.decode(reading); !status) return status;
    times = {milliseconds(begin, ready), milliseconds(ready, inferred),
             milliseconds(inferred, Clock::now())};
    return {};
}

Sight sight_of(const ImageView& view, const ReadOptions& options, Decoder decoder) {
    Sight sight;
    sight.two_rows = options.two_rows;
    sight.decoder = decoder;
    if (options.roi || !options.quads.empty()) return sight;
    sight.width = view.width;
    sight.height = view.height;
    return sight;
}

Json corners(const Quad& quad) {
    Json numbers = Json::array();
    for (const Point& p : {quad.top_left, quad.top_right, quad.bottom_right, quad.bottom_left}) {
        numbers.push_back(p.x);
        numbers.push_back(p.y);
    }
    return numbers;
}

bool has_format(const Reading& reading) {
    return !reading.candidates.empty() && reading.candidates.front().format >= 0;
}

Json to_json(const std::string& path, std::size_t plate, const Reading& reading, const Times& times,
             const std::string& notice, const Model& model, const ReadOptions& options,
             const AnyRecognizer& recognizer, Decoder decoder) {
    Json characters = Json::array();
    for (const Character& c : reading.characters) {
        Json alternatives = Json::array();
        for (int k = 0; k < c.alternative_count; ++k) {
            const Alternative& other = c.alternatives[static_cast<std::size_t>(k)];
            alternatives.push_back({{"char", other.text}, {"confidence", other.confidence}});
        }
        characters.push_back({{"char", c.text},
                              {"confidence", c.confidence},
                              {"alternatives", alternatives},
                              {"span", {c.first_step, c.last_step}}});
    }
    Json candidates = Json::array();
    for (const Candidate& candidate : reading.candidates) {
        candidates.push_back({{"plate", candidate.text},
                              {"confidence", candidate.confidence},
                              {"matches_template", candidate.format >= 0}});
    }
    Json json = {{"file", path},
                 {"plate", reading.text},
                 {"confidence", reading.confidence},
                 {"matches_template", has_format(reading)},
                 {"candidates", candidates},
                 {"characters", characters},
                 {"reject_score", reading.reject_score},
                 {"rejected", reading.reject_score > reject_above(decoder)},
                 {"processing_time_ms",
                  {{"image", times.image}, {"infer", times.infer}, {"decode", times.decode}}},
                 {"model", model.name()},
                 {"decode", options.decode.name()},
                 {"precision", recognizer.precision(model)},
                 {"backend", recognizer.backend()}};
    if (!options.quads.empty()) json["quad"] = corners(options.quads[plate]);
    if (!notice.empty()) json["warning"] = notice;
    return json;
}

bool is_wanted(const Reading& reading, const ReadOptions& options, Decoder decoder,
               Counts& counts) {
    ++counts.plates;
    if (options.reject && reading.reject_score > reject_above(decoder)) {
        ++counts.rejected;
        return false;
    }
    if (static_cast<double>(reading.confidence) < options.min_confidence) {
        ++counts.uncertain;
        return false;
    }
    return true;
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// What is not seen in the lines that were printed: to people after many, else only what was left
// out.
void print_summary(const Counts& counts, const ReadOptions& options, double seconds) {
    if (options.quiet) return;
    const auto left_out = [&](std::size_t count, const char* flag) {
        if (count == 0) return;
        print_error(std::to_string(count) + " of " + counted(counts.plates, "plate") +
                    " left out by " + flag);
    };
    left_out(counts.rejected, "--reject");
    left_out(counts.uncertain, "--min-confidence");
    if (counts.plates + counts.unreadable < 2 || isatty(STDERR_FILENO) == 0) return;
    print_error(counted(counts.plates, "plate") + " read, " + std::to_string(counts.unreadable) +
                " unreadable, " + fixed(seconds, 1) + " s");
}

// A line for each candidate; one with an empty text where there is none.
void print_text(const std::string& path, std::size_t plate, const Reading& reading,
                const ReadOptions& options) {
    const auto print = [&](const std::string& text, float confidence) {
        std::printf("%s\t%.4f\t%s", printable(text).c_str(), static_cast<double>(confidence),
                    printable(path).c_str());
        // Several plates of one picture are told apart by the number of their --quad.
        if (options.quads.size() > 1) std::printf("\t%zu", plate + 1);
        std::puts("");
    };
    for (const Candidate& candidate : reading.candidates) {
        print(candidate.text, candidate.confidence);
    }
    if (reading.candidates.empty()) print(reading.text, reading.confidence);
}

void print_reading(const std::string& path, std::size_t plate, const Reading& reading,
                   const Times& times, const std::string& notice, const Model& model,
                   const ReadOptions& options, const AnyRecognizer& recognizer, Decoder decoder) {
    if (options.json) {
        print_json_line(
            to_json(path, plate, reading, times, notice, model, options, recognizer, decoder));
    } else {
        print_text(path, plate, reading, options);
    }
    std::fflush(stdout);  // whoever waits for a plate gets it at once, also through a pipe
}

// Reads one picture after the other and prints what is wanted.
class PictureLoop {
public:
    PictureLoop(const ReadOptions& options, Decoder decoder, const Model& model,
                AnyRecognizer& recognizer, std::size_t pictures)
        : options_(options),
          decoder_(decoder),
          model_(model),
          recognizer_(recognizer),
          plates_(std::max<std::size_t>(1, options.quads.size())),
          progress_("reading", pictures * plates_),
          notices_(options.quiet) {
        if (options.html)
            page_.emplace(std::vector<report::Fact>{{"model", model.name()},
                                                    {"precision", recognizer.precision(model)},
                                                    {"decoder", options.decode.name()}});
    }

    void read(const std::string& path) {
        try {
            read_picture(path);
        } catch (const std::bad_alloc&) {  // the next one may be smaller
            complain(printable(path) + ": out of memory");
        }
    }
    Status write_html() && {
        return page_ ? std::move(*page_).write(options_.html.path) : Status();
    }
    void finish(double seconds) {
        progress_.hide();
        notices_.finish();
        print_summary(counts_, options_, seconds);
    }
    ExitStatus status() const { return counts_.unreadable > 0 ? kUnreadable : kDone; }

private:
    void complain(const std::string& message) {
        progress_.hide();
        print_error(message);
        ++counts_.unreadable;
    }
    void read_picture(const std::string& path) {
        const Clock::time_point begin = Clock::now();
        const Result<OpenedPicture> picture =
            OpenedPicture::open(path, options_.raw, options_.limits);
        const double opened = milliseconds(begin, Clock::now());
        if (!picture) complain(picture.error().message);
        bool noticed = false;  // one line for all plates of a picture
        for (std::size_t plate = 0; plate < plates_; ++plate) {
            progress_.advance();
            if (!picture) continue;
            Times times;
            const ImageView view = picture->view();
            const Status read = read_one(view, options_, plate, recognizer_, reading_, times);
            times.image += opened;
            if (!read) {
                complain(printable(path) + ": " + read.error().message);
            } else if (is_wanted(reading_, options_, decoder_, counts_)) {
                const std::string notice = notice_of(sight_of(view, options_, decoder_), reading_);
                progress_.hide();
                print_reading(path, plate, reading_, times, notice, model_, options_, recognizer_,
                              decoder_);
                if (page_) add_to_page(path, view, plate, notice);
                if (!notice.empty() && !noticed) notices_.add(path, notice);
                noticed = noticed || !notice.empty();
            }
        }
    }

    void add_to_page(const std::string& path, const ImageView& view, std::size_t plate,
                     const std::string& notice) {
        page_->add({path, view, place_of(view, options_, plate), has_format(reading_),
                    reading_.reject_score > reject_above(decoder_), notice},
                   reading_);
    }

    const ReadOptions& options_;
    Decoder decoder_;
    const Model& model_;
    AnyRecognizer& recognizer_;
    std::size_t plates_;  // of a picture
    Progress progress_;
    Reading reading_;
    Counts counts_;
    Notices notices_;
    std::optional<report::ReadPage> page_;
};

ExitStatus run(const ReadOptions& options) {
    const Clock::time_point started = Clock::now();
    if (Status path = options.html.check(); !path) return fail(path.error());
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    // Both tell whether a text has a format.
    Result<DecodeOptions> decoding = options.decode.load(options.json || options.html);
    if (!decoding) return fail(decoding.error());
    Result<AnyRecognizer> recognizer = options.backend.open(options.model, *model, *decoding);
    if (!recognizer) return fail(recognizer.error());
    if (!options.quiet) options.decode.warn(*decoding, *model);

    const Inputs inputs =
        expand_inputs(options.paths, options.raw ? FileNames::any : FileNames::images);
    for (const std::string& line : inputs.skipped) print_error(line);
    for (const std::string& line : inputs.errors) print_error(line);

    PictureLoop pictures(options, decoding->decoder, *model, *recognizer, inputs.images.size());
    for (const std::string& path : inputs.images) pictures.read(path);
    pictures.finish(milliseconds(started, Clock::now()) * 1e-3);
    const ExitStatus status = pictures.status();
    const Status written = std::move(pictures).write_html();
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    if (!written) return fail(written.error());
    return inputs.errors.empty() ? status : kUnreadable;
}

}  // namespace

Verb add_read(CLI::App& app) {
    auto options = std::make_shared<ReadOptions>();
    app.add_option("PATH", options->paths, "Images, folders, or - for a list on standard input")
        ->required();
    options->model.add_to(app);
    options->backend.add_to(app);
    options->decode.add_to(app, kMaxCandidates);
    app.add_option("--min-confidence", options->min_confidence, "Leave out less certain readings")
        ->check(number_range(0.0, 1.0));
    app.add_flag("--reject", options->reject, "Leave out images that likely show no plate");
    // As one word each time, so that the words after it are paths.
    const auto add_words = [&app](const char* flag, const char* type, auto parse, auto keep,
                                  const std::string& what) {
        return app
            .add_option_function<std::vector<std::string>>(
                flag,
                [flag, parse, keep](const std::vector<std::string>& words) {
                    for (const std::string& word : words) {
                        auto value = parse(word);
                        if (!value) throw CLI::ValidationError(flag, value.error().message);
                        keep(*value);
                    }
                },
                what)
            ->expected(1)
            ->allow_extra_args(false)
            ->type_name(type);
    };
    add_words(
        "--raw", "FORMAT:WxH[:STRIDE]", parse_raw_format,
        [options](const RawFormat& raw) { options->raw = raw; },
        "Files are frames without a header: " + raw_format_names(" or "));
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    const auto set_memory = [options](int mebibytes) {
        options->limits.max_bytes = static_cast<std::size_t>(mebibytes) * kMebibyte;
    };
    app.add_option_function<int>("--image-memory", set_memory,
                                 "Memory that decoding one picture may take, in MiB (" +
                                     std::to_string(ImageLimits().max_bytes / kMebibyte) + ")")
        ->type_name("MIB")
        ->check(CLI::Range(1, 65536));
    CLI::Option* roi = add_words(
        "--roi", "X,Y,W,H", parse_region,
        [options](const Region& region) { options->roi = region; },
        "Part of each image: x,y,width,height in pixels");
    add_words(
        "--quad", "X,Y,X,Y,X,Y,X,Y", parse_quad,
        [options](const Quad& quad) { options->quads.push_back(quad); },
        "Corners of a plate in each image, clockwise from its top left; once for each plate")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->excludes(roi);
    app.add_flag("--two-rows", options->two_rows, "Plates have two rows: cut apart and joined");
    app.add_flag("-q,--quiet", options->quiet, "No warnings and no counts on standard error");
    options->html.add_to(app);
    app.add_flag("-j,--json", options->json, "One JSON object a line");
    return [options] {
        for (Quad& quad : options->quads) quad.rows = options->two_rows ? 2 : 1;
        return run(*options);
    };
}

}  // namespace lprnet::cli
