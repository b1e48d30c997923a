// Which pixels a model expects, found out on labelled images.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/cli/json_line.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/image_file/image_file.h"
#include "engine/measure/diagnose.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::Diagnosis;
using measure::Setting;

struct DoctorOptions {
    ModelOption model;
    std::vector<std::string> words;
    bool json = false;
};

// IMAGE=TEXT, or a folder or a table of labels. The last '=' counts: texts have none.
Result<std::vector<LabelledImage>> labelled_images(const std::vector<std::string>& words) {
    std::vector<LabelledImage> images;
    for (const std::string& word : words) {
        const std::size_t at = word.rfind('=');
        std::error_code ignored;
        if (at != std::string::npos && at > 0 && at + 1 < word.size() &&
            !std::filesystem::exists(word, ignored)) {
            images.push_back({word.substr(0, at), word.substr(at + 1), ""});
        } else if (std::filesystem::is_directory(word, ignored) || word.ends_with(".tsv")) {
            Result<std::vector<LabelledImage>> more = read_labels(word);
            if (!more) return more.error();
            images.insert(images.end(), more->begin(), more->end());
        } else {
            return Error{ErrorCode::invalid_argument,
                         "expected IMAGE=TEXT, a folder or a labels.tsv, found " + in_quotes(word)};
        }
    }
    return images;
}

// A plate's picture, and what its labels say that it shows.
struct Plate {
    DecodedImage image;
    std::string text;
};

Result<Plate> load_plate(const LabelledImage& item, const Model& model) {
    Result<DecodedImage> image = open_image(item.path);
    if (!image) return image.error();
    if (const auto classes = measure::classes_of(model, item.text); !classes) {
        return Error{classes.error().code, printable(item.path) + ": " + classes.error().message};
    }
    return Plate{std::move(*image), item.text};
}

std::string right_of(const Setting& setting, const Diagnosis& found) {
    return std::to_string(setting.right) + " of " + std::to_string(found.plates);
}

std::string described(const Setting& setting) {
    return std::string(name_of(setting.preprocess.order)) + ", " + setting.scale + ", " +
           name_of(setting.resize);
}

// The values of one property that the images do not tell apart from the best, best first.
template <class Name>
std::string fitting(const Diagnosis& found, Name name) {
    std::vector<std::string> names;
    for (const Setting& setting : found.settings) {
        const std::string value = name(setting);
        if (as_good(setting, found.best()) &&
            std::find(names.begin(), names.end(), value) == names.end())
            names.push_back(value);
    }
    std::string text;
    for (const std::string& value : names) text += (text.empty() ? "" : " or ") + value;
    return text;
}

std::string fitting_orders(const Diagnosis& found) {
    return fitting(found,
                   [](const Setting& s) { return std::string(name_of(s.preprocess.order)); });
}

std::string fitting_scales(const Diagnosis& found) {
    return fitting(found, [](const Setting& s) { return s.scale; });
}

std::string fitting_resizes(const Diagnosis& found) {
    return fitting(found, [](const Setting& s) { return std::string(name_of(s.resize)); });
}

void print_json(const Diagnosis& found, const Model& model) {
    Json settings = Json::array();
    for (const Setting& s : found.settings) {
        settings.push_back({{"channel_order", name_of(s.preprocess.order)},
                            {"scale", s.scale},
                            {"resize", name_of(s.resize)},
                            {"right", s.right},
                            {"edits", s.edits},
                            {"log_likelihood", s.likelihood()},
                            {"as_good_as_best", as_good(s, found.best())},
                            {"model_file", s.is_file}});
    }
    const Json json = {{"plates", found.plates},
                       {"characters", found.characters},
                       {"verdict", found.verdict()},
                       {"settings", settings},
                       {"model", model.name()}};
    print_json_line(json);
}

// Of the longest name in front of a value.
constexpr std::size_t kNameColumns = 14;

// For a table: of what differs by channel the first channel's.
std::string first_channel(const std::string& scale) {
    std::string text;
    for (std::size_t i = 0; i < scale.size(); ++i) {
        text += scale[i];
        if (scale[i] != '|') continue;
        text += "..";
        i = std::min(scale.find_first_of(" )", i), scale.size()) - 1;
    }
    return text;
}

void print_settings(const Diagnosis& found) {
    std::vector<std::vector<std::string>> rows = {
        {"order", "scale", "resize", "right", "wrong %", "log-likelihood", ""}};
    for (const Setting& s : found.settings) {
        std::string remark = s.is_file ? "model file" : "";
        if (!found.nothing_fits && as_good(s, found.best())) {
            remark += remark.empty() ? "" : ", ";
            remark += &s == &found.best() ? "best" : "as good";
        }
        rows.push_back(
            {name_of(s.preprocess.order), first_channel(s.scale), name_of(s.resize),
             std::to_string(s.right),
             fixed(100.0 * static_cast<double>(s.edits) / static_cast<double>(found.characters), 1),
             fixed(s.likelihood(), 2), remark});
    }
    print_table(rows, {true, true, true, false, false, false, true});
    std::printf(
        "\nright: of %zu plates; wrong: edits per character; log-likelihood: of the text, "
        "mean of the plates\n\n",
        found.plates);
}

// What the settings tell, if any of them fits.
void print_fitting(const Diagnosis& found) {
    print_field("channel order", fitting_orders(found), kNameColumns);
    print_field("scale", fitting_scales(found), kNameColumns);
    print_field("resize",
                found.resized > 0 ? fitting_resizes(found)
                                  : "cannot be told: every image has the network's size already",
                kNameColumns);
}

void print_verdict(const Diagnosis& found) {
    std::string verdict = found.verdict();
    if (found.nothing_fits) {
        verdict += ": " + right_of(found.best(), found) +
                   " plates right at best; are the images cut to the plate, the texts right, and "
                   "the alphabet that of the training?";
    } else if (!found.file_fits()) {
        verdict += ": " + described(found.best_of_files()) + " reads " +
                   right_of(found.best_of_files(), found) + "; export the weights again with it";
    }
    print_field("verdict", verdict, kNameColumns);
    if (found.nothing_fits) return;
    if (2 * found.best().right < found.plates) {
        print_field(
            "",
            right_of(found.best(), found) + " is not many: pixels are not all that is wrong here",
            kNameColumns);
    }
    if (!as_good(found.best_of_files(), found.best())) {
        print_field("",
                    std::string("the program resizes by bilinear: with ") +
                        name_of(found.best().resize) + " before it, " +
                        right_of(found.best(), found),
                    kNameColumns);
    }
}

void print_text(const Diagnosis& found, const Model& model) {
    print_settings(found);
    const Setting& file = found.file_setting();
    print_field("model", model.name(), kNameColumns);
    print_field("model file", described(file) + ": " + right_of(file, found) + " plates right",
                kNameColumns);
    if (!found.nothing_fits) print_fitting(found);
    print_verdict(found);
}

ExitStatus run(const DoctorOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<Recognizer> recognizer = options.model.recognizer(*model);
    if (!recognizer) return fail(recognizer.error());
    Result<std::vector<LabelledImage>> labelled = labelled_images(options.words);
    if (!labelled) return fail(labelled.error());

    ExitStatus status = kDone;
    std::vector<Plate> plates;
    for (const LabelledImage& item : *labelled) {
        Result<Plate> plate = load_plate(item, *model);
        if (plate) {
            plates.push_back(std::move(*plate));
        } else {
            print_error(plate.error().message);
            status = kUnreadable;
        }
    }
    if (plates.empty()) return status;
    std::vector<measure::LabelledPlate> views;
    for (const Plate& plate : plates) views.push_back({plate.image.view(), plate.text});
    MeasureProgress progress("reading");
    const Result<Diagnosis> found = measure::diagnose(*model, *recognizer, views, progress);
    progress.hide();
    if (!found) return fail(found.error());
    if (options.json) {
        print_json(*found, *model);
    } else {
        print_text(*found, *model);
    }
    return status == kDone && !found->file_fits() ? kCheckFailed : status;
}

}  // namespace

Verb add_doctor(CLI::App& app) {
    auto options = std::make_shared<DoctorOptions>();
    // No name of an option may have a '=' in it: newer versions of CLI11 throw.
    app.add_option("PLATE", options->words,
                   "Plate crops and what they show; or a folder, or a labels.tsv")
        ->option_text("IMAGE=TEXT ... REQUIRED");
    app.final_callback([options] {
        if (options->words.empty()) throw CLI::RequiredError("IMAGE=TEXT");
    });
    options->model.add_to(app);
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
