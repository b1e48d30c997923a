"""Options, places, batches, errors."""

import math
import os
import signal
import threading
import time

import numpy as np
import pytest

import lprnet


def test_repr_and_text(recognizer, samples):
    reading = recognizer.read(str(samples[1]))
    assert str(reading) == reading.text == samples[1].stem
    assert repr(reading).startswith(f"Reading('{reading.text}', confidence={reading.confidence:.4f}, ")
    assert "".join(c.text for c in reading.characters) == reading.text
    assert reading.candidates[0] == (reading.text, reading.confidence, -1)
    assert 0 <= reading.reject_score < recognizer.reject_above < 1
    assert len({reading, recognizer.read(samples[1])}) == 1
    assert reading != recognizer.read(samples[0]) and reading != reading.text


BAD_OPTIONS = [
    ({"threads": 0}, ValueError, "threads: expected an integer from 1 to 64, found int 0"),
    ({"threads": 65}, ValueError, "threads: "),
    ({"threads": 1.0}, TypeError, "threads: .*found float 1.0"),
    ({"threads": True}, TypeError, "threads: .*found bool"),
    ({"threads": None}, TypeError, "threads: .*found None"),
    ({"threads": 10**5000}, ValueError, "threads: "),
    ({"intra": -1}, ValueError, "intra: "),
    ({"intra": "2"}, TypeError, "intra: .*found str '2'"),
    ({"precision": "fp16"}, ValueError, "precision: expected one of 'fp32', 'int8', found str 'fp16'"),
    ({"precision": 8}, TypeError, "precision: "),
    ({"isa": "mmx"}, lprnet.UnsupportedError, "'mmx'"),
    ({"isa": None}, TypeError, "isa: expected a str, found None"),
    ({"isa": "\ud800"}, ValueError, "isa: "),
    ({"decode": "best"}, ValueError, "decode: expected one of 'greedy', 'beam', 'grammar'"),
    ({"candidates": 101}, ValueError, "candidates: expected an integer from 1 to 100"),
    ({"candidates": 2, "decode": "greedy"}, ValueError, "candidates: expected 1"),
    ({"temperature": math.nan}, ValueError, "temperature: .*found float nan"),
    ({"temperature": 0}, ValueError, "temperature: expected a number from 0.05 to 20"),
    ({"temperature": 10**400}, ValueError, "temperature: "),
    ({"temperature": "1"}, TypeError, "temperature: "),
    ({"provinces": "龘"}, ValueError, "provinces: expected some such as 粤 or 京津冀, found '龘'"),
    ({"provinces": "粤", "decode": "beam"}, ValueError, "grammar, found beam"),
    ({"provinces": None}, TypeError, "provinces: expected a str"),
    ({"model": 3}, TypeError, "model: expected None, a path or a Model, found int 3"),
    ({"model": b"x"}, TypeError, "model: "),
    ({"model": "no\0file"}, ValueError, "model: "),
    ({"model": "missing.safetensors"}, FileNotFoundError, "missing.safetensors"),
    ({"patterns": 1}, TypeError, "patterns: "),
    ({"patterns": "missing.txt"}, lprnet.NotFoundError, "missing.txt"),
    ({"color": "bgr"}, TypeError, "incompatible"),
]


@pytest.mark.parametrize(("options", "kind", "message"), BAD_OPTIONS)
def test_bad_options(options, kind, message):
    with pytest.raises(kind, match=message):
        lprnet.Recognizer(**options)


def test_decoders(samples):
    assert lprnet.Recognizer(candidates=3).decode == "beam"
    with lprnet.Recognizer(candidates=3, patterns="cn") as recognizer:
        assert recognizer.decode == "grammar"
        reading = recognizer.read(samples[1])
        assert len(reading.candidates) == 3
        assert recognizer.patterns.formats[reading.candidates[0].format].name
    hot = lprnet.Recognizer(temperature=4.0).read(samples[1])
    assert hot.confidence < lprnet.Recognizer().read(samples[1]).confidence


def test_patterns(tmp_path):
    with pytest.raises(ValueError, match=r"^mine:2:8: "):
        lprnet.Patterns.parse("a 1 : 京#\nb 1 : [\n", "mine")
    file = tmp_path / "formats"
    file.write_text("x 0.5 : 京#{5}\n")
    patterns = lprnet.Patterns.load(file)
    assert patterns.formats == (("x", 0.5),)
    assert patterns.writable(lprnet.Model.builtin()) == [True]
    assert lprnet.Patterns.parse("x 1 : Ω").writable(lprnet.Model.builtin()) == [False]
    with pytest.raises(lprnet.MismatchError):
        lprnet.Recognizer(patterns=lprnet.Patterns.parse("x 1 : Ω"))
    with pytest.raises(TypeError, match="text: expected a str, found bytes"):
        lprnet.Patterns.parse(b"x")
    with pytest.raises(FileNotFoundError, match="'nl'"):
        lprnet.Patterns.builtin("nl")


def test_model(tmp_path):
    model = lprnet.Model.builtin("int8")
    assert model.precision == model.info()["precision"] == "int8"
    assert len(model.alphabet) == len(model.charset) - 1 and "京" in model.alphabet
    assert lprnet.Recognizer(model, precision="int8").model.name == "builtin-int8"
    with pytest.raises(ValueError, match="precision: expected 'int8'"):
        lprnet.Recognizer(model, precision="fp32")
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(lprnet.Error, match="junk.safetensors") as raised:
        lprnet.Recognizer(junk)
    assert isinstance(raised.value, ValueError)
    with pytest.raises(lprnet.Error, match="^thing: "):
        lprnet.Model.from_bytes(b"abc", "thing")
    with pytest.raises(TypeError, match="data: "):
        lprnet.Model.from_bytes("abc")


def test_places(recognizer, samples):
    plate = lprnet.decode_image(samples[1])
    height, width = plate.shape[:2]
    frame = np.full((height + 40, width + 60, 3), 50, np.uint8)
    frame[10 : 10 + height, 20 : 20 + width] = plate
    expected = recognizer.read(plate)
    assert recognizer.read(frame, region=(20, 10, width, height)) == expected
    assert recognizer.read(frame, region=np.array([20, 10, width, height])) == expected
    corners = [(20, 10), (20 + width, 10), (20 + width, 10 + height), (20, 10 + height)]
    seen = recognizer.read(frame, quad=corners)
    assert seen.text == expected.text
    assert recognizer.read(frame, quad=np.array(corners, np.float32)) == seen
    assert recognizer.read(frame, quad=np.array(corners).ravel()) == seen
    two = recognizer.read(frame, region=(20, 10, width, height), two_rows=True)
    assert two == recognizer.read(frame, quad=corners, two_rows=True) != expected


BAD_PLACES = [
    ({"region": (0, 0, 10)}, ValueError, "region: expected four integers .* found 3 values"),
    ({"region": (0, 0, 1.5, 3)}, TypeError, "region: .* found float 1.5"),
    ({"region": "1234"}, TypeError, "region: .*found str '1234'"),
    ({"region": 5}, TypeError, "region: "),
    ({"region": (0, 0, 10**30, 1)}, ValueError, "region: "),
    ({"region": (0, 0, 100000, 1)}, lprnet.InvalidArgumentError, "region"),
    ({"region": (0, 0, 0, 0)}, lprnet.InvalidArgumentError, "region"),
    ({"region": (-1, 0, 5, 5)}, lprnet.InvalidArgumentError, "region"),
    ({"quad": [(0, 0)] * 4}, lprnet.InvalidArgumentError, "quad|corner"),
    ({"quad": [(0, 0), (1, 0), (1, 1)]}, ValueError, "quad: expected four corners .* found 3 values"),
    ({"quad": [(0, 0), (1, 0), (1, 1), (0,)]}, ValueError, "quad: "),
    ({"quad": [(0, 0), (1, 0), (1, math.inf), (0, 1)]}, ValueError, "quad: .*found float inf"),
    ({"quad": [(0, 0), (1, 0), (1, math.nan), (0, 1)]}, ValueError, "quad: "),
    ({"quad": ["ab"] * 4}, TypeError, "quad: "),
    ({"quad": [1, 2, 3, 4]}, TypeError, "quad: .*found int 1 as a corner"),
    ({"region": (0, 0, 5, 5), "quad": [0] * 8}, ValueError, "expected one of them, found both"),
    ({"color": "BGR"}, ValueError, "color: expected one of 'bgr', 'rgb', found str 'BGR'"),
    ({"color": None}, TypeError, "color: "),
]


@pytest.mark.parametrize(("place", "kind", "message"), BAD_PLACES)
def test_bad_places(recognizer, place, kind, message):
    image = np.zeros((30, 90, 3), np.uint8)
    with pytest.raises(kind, match=message):
        recognizer.read(image, **place)


def test_batch_keeps_everything(recognizer, samples, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(samples[1].read_bytes()[:3000])
    plate = lprnet.decode_image(samples[0])
    images = [samples[0], None, str(samples[1]), broken, plate, plate.astype(float), folder, b"", "missing"]
    wanted = [None, TypeError, None, lprnet.MalformedError, None, TypeError, OSError, ValueError, FileNotFoundError]
    for threads in (1, 3):
        results = lprnet.Recognizer(threads=threads).read_batch(iter(images))
        assert len(results) == len(images)
        for image, kind, result in zip(images, wanted, results, strict=True):
            if kind is None:
                assert result == recognizer.read(image)
            else:
                assert isinstance(result, kind)
                with pytest.raises(kind) as raised:
                    recognizer.read(image)
                assert str(raised.value) == str(result)
    columns = recognizer.read_columns(images)
    assert {len(column) for column in columns.values()} == {len(images)}
    assert columns["text"][0] == samples[0].stem and columns["text"][1] is None
    assert [error is None for error in columns["error"]] == [kind is None for kind in wanted]
    assert recognizer.read_batch([]) == [] and recognizer.read_batch(()) == []


def test_batch_of_one_word(recognizer, samples):
    for images in ("a.jpg", b"bytes", samples[0], None, 5):
        with pytest.raises(TypeError, match="images: expected a list"):
            recognizer.read_batch(images)


def test_batch_passes_on_exceptions(recognizer, samples):
    def failing():
        yield samples[0]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        recognizer.read_batch(failing())


class Failing:
    """Raises what a caller's own code may raise, whatever it is asked."""

    def __fspath__(self):
        raise KeyError("mine")

    def __index__(self):
        raise KeyError("mine")

    def __float__(self):
        raise KeyError("mine")

    def __iter__(self):
        raise KeyError("mine")


def test_exceptions_of_arguments_pass(recognizer):
    image = np.zeros((9, 9), np.uint8)
    for call in (
        lambda: recognizer.read(Failing()),
        lambda: recognizer.read(image, region=[Failing()] * 4),
        lambda: recognizer.read(image, quad=[Failing()] * 8),
        lambda: lprnet.Recognizer(threads=Failing()),
        lambda: lprnet.Recognizer(temperature=Failing()),
        lambda: lprnet.KnownPlates(Failing()),
        lambda: lprnet.Reading("A", Failing()),
    ):
        with pytest.raises(KeyError, match="mine"):
            call()


def test_released_memory(recognizer):
    view = memoryview(bytes(12))
    view.release()
    with pytest.raises(TypeError, match="found memoryview"):
        recognizer.read(view)


def test_names_of_any_bytes(recognizer, samples, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.jpg")
    with open(name, "wb") as file:
        file.write(samples[0].read_bytes())
    assert recognizer.read(name).text == samples[0].stem
    os.truncate(name, 20)
    with pytest.raises(lprnet.MalformedError, match=r"\\xff\\xfe.jpg"):
        recognizer.read(name)


def test_closed(samples):
    recognizer = lprnet.Recognizer(threads=2)
    with recognizer as same:
        assert same is recognizer and not recognizer.closed
    assert recognizer.closed and "closed" in repr(recognizer)
    recognizer.close()
    for call in (
        lambda: recognizer.read(samples[0]),
        lambda: recognizer.read_batch([samples[0]]),
        lambda: recognizer.read_columns([]),
        lambda: recognizer.isa,
        lambda: recognizer.__reduce__(),
    ):
        with pytest.raises(ValueError, match="found it closed"):
            call()


def test_close_while_reading(samples):
    recognizer = lprnet.Recognizer(threads=2)
    expected = recognizer.read(samples[0])
    results = []
    thread = threading.Thread(target=lambda: results.extend(recognizer.read_batch([samples[0]] * 50)))
    thread.start()
    recognizer.close()
    thread.join()
    assert all(result == expected for result in results)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_threads_on_one_object(samples, precision):
    recognizer = lprnet.Recognizer(precision=precision, threads=2)
    pictures = [lprnet.decode_image(path) for path in samples]
    expected = [recognizer.read(picture) for picture in pictures]
    wrong = []

    def read(seed):
        for i in np.random.default_rng(seed).integers(0, len(pictures), 40):
            if recognizer.read(pictures[i]) != expected[i]:
                wrong.append(i)
        if recognizer.read_batch(pictures) != expected:
            wrong.append("batch")

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_intra(samples):
    recognizer = lprnet.Recognizer(intra=2)
    assert recognizer.read_batch(samples) == lprnet.Recognizer().read_batch(samples)


def test_lock_is_released(recognizer):
    """Another thread gets on while a batch is read."""
    images = np.zeros((300, 40, 120, 3), np.uint8)
    turns = []
    done = threading.Event()

    def count():
        while not done.is_set():
            turns.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.perf_counter()
    recognizer.read_batch(images)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(begin + 0.1 * (end - begin) < turn < end - 0.1 * (end - begin) for turn in turns) >= 2


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt(threads, interruptible):
    recognizer = lprnet.Recognizer(threads=threads)
    images = np.zeros((200, 40, 120, 3), np.uint8)
    recognizer.read_batch(images[:4])
    many = [image for _ in range(200) for image in images]
    sent = []

    def send():
        time.sleep(0.3)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        recognizer.read_batch(many)
    stopped = time.perf_counter()
    thread.join()
    # 0.1 s on an idle machine; a batch that goes on to its end takes many seconds.
    assert stopped - sent[0] < 1.0
    assert len(recognizer.read_batch(images)) == len(images)


def test_vote(recognizer, samples):
    vote = lprnet.Vote()
    assert vote.answer().text == "" and vote.frames == 0
    first, second = recognizer.read(samples[0]), recognizer.read(samples[1])
    for reading in (first, second, first):
        vote.add(reading)
    answer = vote.answer(2)
    assert answer.text == first.text and vote.frames == 3 and len(answer.candidates) == 2
    vote.clear()
    vote.add(lprnet.Reading("ABC", 0.9))
    vote.add(lprnet.Reading("ABD", math.nan, characters=[("A", math.inf, 0, 1, [("B", -1)])]))
    assert vote.answer().text == "ABC"
    for wrong in (None, "ABC", ("ABC", 0.9)):
        with pytest.raises(TypeError, match="reading: expected a Reading, found "):
            vote.add(wrong)
    with pytest.raises(ValueError, match="candidates: "):
        vote.answer(-1)


def test_readings_of_other_origin():
    with pytest.raises(TypeError, match="text: expected a str, found None"):
        lprnet.Reading(None, 0.5)
    with pytest.raises(TypeError, match="confidence: expected a number, found str 'x'"):
        lprnet.Reading("A", "x")
    with pytest.raises(ValueError, match="characters: expected tuples of 5 values, found one of 2"):
        lprnet.Reading("A", 0.5, characters=[("A", 0.5)])
    with pytest.raises(TypeError, match="candidates: expected tuples of 3 values, found str 'A'"):
        lprnet.Reading("A", 0.5, candidates="A")


def test_known_plates():
    plates = lprnet.KnownPlates(["京A12345", "京A1234S", "沪B00000"])
    assert len(plates) == 3
    [match] = plates.find("京A12345")
    assert match == (0, "京A12345", 1.0)
    assert [m.index for m in plates.find("京A12345", 5, 1e-4)] == [0, 1]
    assert plates.find("") == [] and lprnet.KnownPlates([]).find("A") == []
    for wrong in ("京A12345", b"x", None, [1], ["a", None]):
        with pytest.raises(TypeError, match="plates: expected a "):
            lprnet.KnownPlates(wrong)
    with pytest.raises(ValueError, match="least_likelihood: "):
        plates.find("A", 1, 2.0)
    with pytest.raises(TypeError, match="text: expected a str, found int 3"):
        plates.find(3)
