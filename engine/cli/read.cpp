#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "engine/cli/decode_option.h"
#include "engine/cli/image_file.h"
#include "engine/cli/inputs.h"
#include "engine/cli/model_option.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "weights/printable.h"

namespace lprnet::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct ReadOptions {
    ModelOption model;
    std::vector<std::string> paths;
    DecodeOption decode;
    double min_confidence = 0.0;
    std::optional<Rectangle> roi;
    bool reject = false;
    bool json = false;
};

struct Times {
    double image = 0.0, infer = 0.0, decode = 0.0;  // ms
};

double milliseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// "x,y,width,height" as one word, so that the words after it are paths.
Rectangle parse_rectangle(const std::string& text) {
    Rectangle roi;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int* field : {&roi.x, &roi.y, &roi.width, &roi.height}) {
        const auto [next, error] = std::from_chars(at, end, *field);
        const bool last = field == &roi.height;
        if (error != std::errc() || (last ? next != end : next == end || *next != ',')) {
            throw CLI::ValidationError(
                "--roi", "expected x,y,width,height in pixels, found " + weights::in_quotes(text));
        }
        at = last ? next : next + 1;
    }
    return roi;
}

Status read_one(const std::string& path, const ReadOptions& options, Recognizer& recognizer,
                Reading& reading, Times& times) {
    const Clock::time_point begin = Clock::now();
    Result<DecodedImage> image = DecodedImage::open(path);
    if (!image) return image.error();
    ImageView view = image->view();
    if (options.roi) {
        Result<ImageView> part = crop(view, *options.roi, path);
        if (!part) return part.error();
        view = *part;
    }
    if (Status status = recognizer.set_image(view); !status) {
        return Error{status.error().code, weights::printable(path) + ": " + status.error().message};
    }
    const Clock::time_point ready = Clock::now();
    recognizer.infer();
    const Clock::time_point inferred = Clock::now();
    recognizer.decode(reading);
    times = {milliseconds(begin, ready), milliseconds(ready, inferred),
             milliseconds(inferred, Clock::now())};
    return {};
}

Json to_json(const std::string& path, const Reading& reading, const Times& times,
             const Model& model, const ReadOptions& options, Decoder decoder) {
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
    return {
        {"file", path},
        {"plate", reading.text},
        {"confidence", reading.confidence},
        {"matches_template", !reading.candidates.empty() && reading.candidates.front().format >= 0},
        {"candidates", candidates},
        {"characters", characters},
        {"reject_score", reading.reject_score},
        {"rejected", reading.reject_score > reject_above(decoder)},
        {"processing_time_ms",
         {{"image", times.image}, {"infer", times.infer}, {"decode", times.decode}}},
        {"model", model.name()},
        {"decode", options.decode.name()},
        {"precision", model.precision()},
        {"backend", "cpu"}};
}

bool is_wanted(const Reading& reading, const ReadOptions& options, Decoder decoder) {
    if (options.reject && reading.reject_score > reject_above(decoder)) return false;
    return static_cast<double>(reading.confidence) >= options.min_confidence;
}

// A line for each candidate; one with an empty text where there is none.
void print_text(const std::string& path, const Reading& reading) {
    const auto print = [&](const std::string& text, float confidence) {
        std::printf("%s\t%.4f\t%s\n", text.c_str(), static_cast<double>(confidence), path.c_str());
    };
    for (const Candidate& candidate : reading.candidates) {
        print(candidate.text, candidate.confidence);
    }
    if (reading.candidates.empty()) print(reading.text, reading.confidence);
}

ExitStatus run(const ReadOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<Recognizer> recognizer = options.model.recognizer(*model);
    if (!recognizer) return fail(recognizer.error());

    Result<DecodeOptions> decoding = options.decode.load(options.json);
    if (!decoding) return fail(decoding.error());
    if (Status status = recognizer->set_decoding(*decoding); !status) return fail(status.error());

    const Inputs inputs = expand_inputs(options.paths);
    for (const std::string& line : inputs.skipped) print_error(line);
    for (const std::string& line : inputs.errors) print_error(line);
    ExitStatus status = inputs.errors.empty() ? kDone : kUnreadable;

    Progress progress(inputs.images.size());
    Reading reading;
    for (const std::string& path : inputs.images) {
        Times times;
        const Status read = read_one(path, options, *recognizer, reading, times);
        if (!read) {
            progress.hide();
            print_error(read.error().message);
            status = kUnreadable;
        } else if (is_wanted(reading, options, decoding->decoder)) {
            progress.hide();
            if (options.json) {
                const Json line = to_json(path, reading, times, *model, options, decoding->decoder);
                std::puts(line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
            } else {
                print_text(path, reading);
            }
            std::fflush(stdout);  // whoever waits for a plate gets it at once, also through a pipe
        }
        progress.advance();
    }
    return status;
}

}  // namespace

Verb add_read(CLI::App& app) {
    auto options = std::make_shared<ReadOptions>();
    app.add_option("PATH", options->paths, "Images, folders, or - for a list on standard input")
        ->required();
    options->model.add_to(app);
    constexpr int kMostCandidates = 100;
    options->decode.add_to(app, kMostCandidates);
    app.add_option("--min-confidence", options->min_confidence, "Leave out less certain readings")
        ->check(CLI::Range(0.0, 1.0));
    app.add_flag("--reject", options->reject, "Leave out images that likely show no plate");
    app.add_option_function<std::string>(
           "--roi", [options](const std::string& text) { options->roi = parse_rectangle(text); },
           "Part of each image: x,y,width,height in pixels")
        ->type_name("X,Y,W,H");
    app.add_flag("-j,--json", options->json, "One JSON object a line");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
