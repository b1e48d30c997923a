// Which pixels a model expects, found out on labelled images: every channel order and scale is
// tried, then every resize with the best of them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/cli/ctc_likelihood.h"
#include "engine/cli/json_line.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_option.h"
#include "engine/cli/progress.h"
#include "engine/cli/resample.h"
#include "engine/cli/table.h"
#include "engine/cli/text_distance.h"
#include "engine/cli/verbs.h"
#include "engine/image/preprocess.h"
#include "engine/image_file/image_file.h"
#include "engine/model/model_data.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct DoctorOptions {
    ModelOption model;
    std::vector<std::string> words;
    bool json = false;
};

// One way to make the input, and what came of it.
struct Setting {
    Preprocess preprocess;
    std::string scale;  // as a formula
    Resize resize = Resize::bilinear;
    bool file = false;  // what the model file says

    std::size_t right = 0;
    std::size_t edits = 0;
    std::vector<double> likelihoods;  // of each plate

    double likelihood() const {
        double sum = 0.0;
        for (const double value : likelihoods) sum += value;
        return sum / static_cast<double>(likelihoods.size());
    }
};

struct Plate {
    DecodedImage image;
    std::vector<std::string> characters;
    std::vector<int> classes;
};

struct Diagnosis {
    std::vector<Setting> settings;
    std::size_t best_bilinear = 0;  // the best that a model file can say
    std::size_t file = 0;
    std::size_t plates = 0;
    std::size_t characters = 0;
    std::size_t resized = 0;  // plates that are not of the network's size
    bool nothing_fits = false;

    // Settings are sorted, the most likely first.
    const Setting& best() const { return settings.front(); }
    const Setting& best_of_files() const { return settings[best_bilinear]; }
    const Setting& file_setting() const { return settings[file]; }
};

// A plate's log-likelihood counts no less than this, lest one wrong label outweigh all others.
constexpr double kFloor = -30.0;

const char* name_of(ChannelOrder order) {
    switch (order) {
        case ChannelOrder::bgr: return "BGR";
        case ChannelOrder::rgb: return "RGB";
        case ChannelOrder::gray: return "GRAY";
    }
    return "";
}

std::string number(double value, const char* format) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

// "(x - 127.5) / 128" as people write it; with a number for each channel, those of red, green and
// blue between bars.
std::string formula(const Preprocess& p) {
    const int count = channels(p.order);
    bool equal = true;
    for (int c = 1; c < count; ++c)
        equal = equal && p.mean[c] == p.mean[0] && p.scale[c] == p.scale[0];
    std::string means, divisors;
    for (int i = 0; i < (equal ? 1 : count); ++i) {
        const int c = p.order == ChannelOrder::bgr ? count - 1 - i : i;
        const char* format = equal ? "%.6g" : "%.4g";
        means += (i > 0 ? "|" : "") + number(static_cast<double>(p.mean[c]), format);
        divisors += (i > 0 ? "|" : "") + number(1.0 / static_cast<double>(p.scale[c]), format);
    }
    const std::string difference = means == "0" ? "x" : "(x - " + means + ")";
    return divisors == "1" ? difference : difference + " / " + divisors;
}

Preprocess with_scale(Preprocess p, ChannelOrder order, const float (&mean)[3],
                      const float (&scale)[3]) {
    p.order = order;
    for (int c = 0; c < 3; ++c) {
        // The constants are given as red, green, blue.
        const int from = order == ChannelOrder::bgr ? 2 - c : c;
        p.mean[c] = mean[from];
        p.scale[c] = scale[from];
    }
    return p;
}

// The file's own setting first, then those that training code for LPRNet and its relatives uses.
std::vector<Setting> settings_to_try(const Preprocess& file) {
    struct Scale {
        float mean[3];
        float scale[3];
    };
    constexpr auto same = [](float mean, float scale) {
        return Scale{{mean, mean, mean}, {scale, scale, scale}};
    };
    const Scale scales[] = {
        same(127.5f, 0.0078125f),
        same(127.5f, 1.0f / 127.5f),
        same(0.0f, 1.0f / 255.0f),
        same(0.0f, 1.0f),
        // ImageNet's mean and deviation, as torchvision has them, times 255.
        {{123.675f, 116.28f, 103.53f}, {1.0f / 58.395f, 1.0f / 57.12f, 1.0f / 57.375f}}};
    std::vector<ChannelOrder> orders = {ChannelOrder::bgr, ChannelOrder::rgb};
    if (file.order == ChannelOrder::gray) orders = {ChannelOrder::gray};

    std::vector<Setting> settings;
    const auto add = [&](const Preprocess& p, bool is_file) {
        const std::string scale = formula(p);
        for (const Setting& other : settings)
            if (other.preprocess.order == p.order && other.scale == scale) return;
        Setting& setting = settings.emplace_back();
        setting.preprocess = p;
        setting.scale = scale;
        setting.file = is_file;
    };
    add(file, true);
    for (const ChannelOrder order : orders) {
        Preprocess own = file;  // the file's scale with the other order
        own.order = order;
        if (order != file.order) std::swap(own.mean[0], own.mean[2]);
        if (order != file.order) std::swap(own.scale[0], own.scale[2]);
        add(own, false);
        for (const Scale& s : scales) add(with_scale(file, order, s.mean, s.scale), false);
    }
    return settings;
}

Result<Plate> load_plate(const LabelledImage& item, const Model& model) {
    Result<DecodedImage> image = open_image(item.path);
    if (!image) return image.error();
    Plate plate{std::move(*image), split_characters(item.text), {}};
    for (const std::string& character : plate.characters) {
        const auto& charset = model.charset();
        const auto found = std::find(charset.begin(), charset.end(), character);
        const auto index = static_cast<int>(found - charset.begin());
        if (found == charset.end() || index == model.blank()) {
            return Error{ErrorCode::mismatch,
                         printable(item.path) + ": the text " + in_quotes(item.text) + " has " +
                             in_quotes(character) + ", which the model cannot read"};
        }
        plate.classes.push_back(index);
    }
    if (plate.characters.empty() || plate.classes.size() > static_cast<std::size_t>(model.steps()))
        return Error{ErrorCode::mismatch, printable(item.path) + ": the text " +
                                              in_quotes(item.text) + ": expected 1 to " +
                                              std::to_string(model.steps()) + " characters"};
    return plate;
}

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

Status try_setting(Setting& setting, const std::vector<Plate>& plates, const Model& model,
                   Recognizer& recognizer, Progress& progress) {
    Result<Preprocessor> preprocessor = Preprocessor::create(setting.preprocess);
    if (!preprocessor) return preprocessor.error();
    Reading reading;
    for (const Plate& plate : plates) {
        progress.advance();
        ImageView view = plate.image.view();
        std::vector<std::uint8_t> pixels;
        if (setting.resize != Resize::bilinear) {
            pixels = resample(view, model.input_width(), model.input_height(), setting.resize);
            view = {pixels.data(), model.input_width(), model.input_height(),
                    std::ptrdiff_t{3} * model.input_width(), PixelFormat::rgb};
        }
        if (Status s = preprocessor->run(view, recognizer.input().data()); !s) return s;
        recognizer.infer();
        if (Status s = recognizer.decode(reading); !s) return s;
        const std::size_t edits = align(plate.characters, split_characters(reading.text)).distance;
        setting.edits += edits;
        setting.right += edits == 0 ? 1 : 0;
        const double likelihood =
            ctc_log_likelihood(recognizer.logits(), static_cast<int>(model.charset().size()),
                               model.blank(), plate.classes);
        setting.likelihoods.push_back(likelihood > kFloor ? likelihood : kFloor);
    }
    return {};
}

std::size_t most_likely(const std::vector<Setting>& settings) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < settings.size(); ++i)
        if (settings[i].likelihood() > settings[best].likelihood()) best = i;
    return best;
}

// True unless the images tell that `best` fits better: all of them together by 20 to 1 (3 in the
// logarithm), each by a tenth at least, and twice the standard error of the difference.
bool as_good(const Setting& setting, const Setting& best) {
    const auto count = static_cast<double>(best.likelihoods.size());
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < best.likelihoods.size(); ++i) {
        const double difference = best.likelihoods[i] - setting.likelihoods[i];
        sum += difference;
        squares += difference * difference;
    }
    const double mean = sum / count;
    const double variance = count > 1 ? (squares - sum * mean) / (count - 1) : 0.0;
    const double error = std::sqrt(std::max(0.0, variance) / count);
    return sum < 3.0 || mean < 0.1 || mean < 2.0 * error;
}

Result<Diagnosis> diagnose(const std::vector<Plate>& plates, const Model& model,
                           Recognizer& recognizer) {
    Diagnosis found;
    found.plates = plates.size();
    for (const Plate& plate : plates) {
        found.characters += plate.characters.size();
        const ImageView view = plate.image.view();
        if (view.width != model.input_width() || view.height != model.input_height())
            ++found.resized;
    }
    found.settings = settings_to_try(model.data().preprocess);
    constexpr Resize kOthers[] = {Resize::area, Resize::nearest, Resize::cubic, Resize::letterbox};
    const std::size_t runs = found.settings.size() + (found.resized > 0 ? std::size(kOthers) : 0);
    Progress progress(runs * plates.size());
    for (Setting& setting : found.settings) {
        if (Status s = try_setting(setting, plates, model, recognizer, progress); !s)
            return s.error();
    }
    const Setting best = found.settings[most_likely(found.settings)];
    for (const Resize resize : kOthers) {
        if (found.resized == 0) break;  // equal pixels whatever the resize
        Setting setting;
        setting.preprocess = best.preprocess;
        setting.scale = best.scale;
        setting.resize = resize;
        if (Status s = try_setting(setting, plates, model, recognizer, progress); !s)
            return s.error();
        found.settings.push_back(std::move(setting));
    }
    std::stable_sort(
        found.settings.begin(), found.settings.end(),
        [](const Setting& a, const Setting& b) { return a.likelihood() > b.likelihood(); });
    for (std::size_t i = found.settings.size(); i-- > 0;) {
        if (found.settings[i].file) found.file = i;
        if (found.settings[i].resize == Resize::bilinear) found.best_bilinear = i;
    }
    // Fewer than a tenth of the plates right and most characters wrong is no reading.
    found.nothing_fits =
        10 * found.best().right < found.plates && 2 * found.best().edits > found.characters;
    return found;
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
    for (const std::string& value : names) text += (text.empty() ? "" : "  or  ") + value;
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

bool file_fits(const Diagnosis& found) {
    return !found.nothing_fits && as_good(found.file_setting(), found.best_of_files());
}

const char* verdict(const Diagnosis& found) {
    if (found.nothing_fits) return "nothing fits";
    return file_fits(found) ? "the model file fits" : "the model file does not fit";
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
                            {"model_file", s.file}});
    }
    const Json json = {{"plates", found.plates},
                       {"characters", found.characters},
                       {"verdict", verdict(found)},
                       {"settings", settings},
                       {"model", model.name()}};
    print_json_line(json);
}

void print_text(const Diagnosis& found, const Model& model) {
    std::vector<std::vector<std::string>> rows = {
        {"order", "scale", "resize", "right", "wrong %", "log-likelihood", ""}};
    for (const Setting& s : found.settings) {
        std::string remark = s.file ? "model file" : "";
        if (!found.nothing_fits && as_good(s, found.best())) {
            remark += remark.empty() ? "" : ", ";
            remark += &s == &found.best() ? "best" : "as good";
        }
        rows.push_back(
            {name_of(s.preprocess.order), s.scale, name_of(s.resize), std::to_string(s.right),
             fixed(100.0 * static_cast<double>(s.edits) / static_cast<double>(found.characters), 1),
             fixed(s.likelihood(), 2), remark});
    }
    print_table(rows, {true, true, true, false, false, false, true});
    std::printf(
        "\nright: of %zu plates; wrong: edits per character; log-likelihood: of the text, "
        "mean of the plates\n\n",
        found.plates);

    const Setting& file = found.file_setting();
    std::printf("model          %s\n", printable(model.name()).c_str());
    std::printf("model file     %s: %s plates right\n", described(file).c_str(),
                right_of(file, found).c_str());
    if (!found.nothing_fits) {
        std::printf("channel order  %s\n", fitting_orders(found).c_str());
        std::printf("scale          %s\n", fitting_scales(found).c_str());
        std::printf("resize         %s\n",
                    found.resized > 0
                        ? fitting_resizes(found).c_str()
                        : "cannot be told: every image has the network's size already");
    }
    std::printf("verdict        %s", verdict(found));
    if (found.nothing_fits) {
        std::printf(
            ": %s plates right at best; are the images cut to the plate, the texts right, and the "
            "alphabet that of the training?",
            right_of(found.best(), found).c_str());
    } else if (!file_fits(found)) {
        std::printf(": %s reads %s; export the weights again with it",
                    described(found.best_of_files()).c_str(),
                    right_of(found.best_of_files(), found).c_str());
    }
    std::puts("");
    if (!found.nothing_fits && 2 * found.best().right < found.plates) {
        std::printf("               %s is not many: pixels are not all that is wrong here\n",
                    right_of(found.best(), found).c_str());
    }
    if (!found.nothing_fits && !as_good(found.best_of_files(), found.best())) {
        std::printf("               the program resizes by bilinear: with %s before it, %s\n",
                    name_of(found.best().resize), right_of(found.best(), found).c_str());
    }
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
    Result<Diagnosis> found = diagnose(plates, *model, *recognizer);
    if (!found) return fail(found.error());
    if (options.json) {
        print_json(*found, *model);
    } else {
        print_text(*found, *model);
    }
    return status == kDone && !file_fits(*found) ? kCheckFailed : status;
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
