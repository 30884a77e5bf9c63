"""Words on the command line that cannot be meant: each gets the line that says what to type instead.

Everything is looked at before the first source is opened: a film of an hour that has run through is a bad
moment to learn that ``classes=0`` was no source.
"""

from __future__ import annotations

import glob
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from tracker.arguments.aliases import answer, normal
from tracker.arguments.command_line import Grammar, Typed, sources_of
from tracker.errors import InputError, OptionError, TrackError
from tracker.parse import near_miss

PICTURES = (".avif", ".bmp", ".jpe", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
SURE = 0.7  # likeness from which a file, a command or an option is meant: most words are none of them
MANY = 3  # so many pictures may be meant one by one; more are what a shell made of a pattern
OTHER_WORDS = ("yolo", "track", "predict", "detect", "run", "ultralytics", "boxmot", "segment", "pose", "obb")
FILM_ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".ts", ".flv", ".wmv", ".mpg")
NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)"
POINT = re.compile(rf"[\[(]*{NUMBER},{NUMBER}[\])]*")
CAMERA = r"\d+|/dev/video\d*"
ASSIGNMENT = re.compile(r"([A-Za-z_][\w-]*)=(.*)")
POINTS = ("line", "zone", "plugin")  # options whose values hold points, and blanks between them


def check(typed: Sequence[Typed], grammar: Grammar, commands: Collection[str]) -> None:
    """Raise ``OptionError`` or ``InputError`` for the first word that cannot be a source.

    Only what can be told without opening anything: a broken file is the matter of its own run.
    """
    for place, each in enumerate(typed):
        error = _problem(each, typed, place, grammar, commands)
        if error is not None:
            raise error
    _check_pictures([each.word for each in typed])


def one_too_many(arguments: Sequence[str], grammar: Grammar) -> str | None:
    """Return what was meant by a word that a command has no use for, where it goes on with a value."""
    typed = list(sources_of(arguments, grammar))
    found = (_after_an_option(each, typed, place, grammar) for place, each in enumerate(typed))
    return next((told for told in found if told), None)


def look_at(sources: Sequence[str]) -> None:
    """Raise ``InputError`` for the first file that is not there; a camera may be plugged in later."""
    for source in sources:
        if not re.fullmatch(CAMERA, source) and (
            error := _problem(Typed(source), (), 0, Grammar({}, ()), ())
        ):
            raise error


def unknown_option(flag: str, arguments: Sequence[str], grammar: Grammar) -> str | None:
    """Return what to type instead of an option that there is not, None where nobody else has it either."""
    written = next((word for word in arguments if _is_long(word) and normal(word.partition("=")[0])), flag)
    if not flag.startswith("--") and _is_long(written):  # -source, which click takes for -s -o -u ...
        flag = written.partition("=")[0]
        own = f"--{flag.lstrip('-')}"
        if own in grammar.names:
            return f"{flag} needs two dashes: {own}"
    for word in arguments:
        if word.startswith("-") and word not in grammar.names and _exists(word):
            return f"{word} looks like an option; write the file as ./{word}"
    told = answer(flag, _value_of(flag, arguments))
    return None if told is None else f"there is no option {flag}: {told}"


def plugin_to_explain(arguments: Sequence[str]) -> str | None:
    """Return the NAME of ``--plugin NAME:help``, ``""`` of ``--plugin help``, None where nobody asks."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        value = following if word == "--plugin" else word.removeprefix("--plugin=")
        if (
            word.startswith("--plugin")
            and value != word
            and re.fullmatch(r"(?:(.*):)?\s*(?:help|\?)\s*", value)
        ):
            return value.rpartition(":")[0].strip()
    return None


def _is_long(word: str) -> bool:
    return bool(re.match(r"-[A-Za-z][A-Za-z_-]+", word))


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag:
            return following if following and not following.startswith("-") else None
    return None


def _problem(
    each: Typed, typed: Sequence[Typed], place: int, grammar: Grammar, commands: Collection[str]
) -> TrackError | None:
    word = each.word
    text = word.removeprefix("file://")
    if re.match(r"(?:https?://)?(?:www\.|m\.)?(?:youtube\.com|youtu\.be)/", text) and not _exists(text):
        return InputError(
            f"{word} is a web page, not a video; download the video first, for example with yt-dlp"
        )
    if not text.strip():
        return InputError(
            "the input is an empty word: give a file, a folder, a camera's number or an address"
        )
    if text == "-":
        return InputError("-: standard input is not read; write it to a file, and give its name")
    if _exists(text) or re.match(r"[A-Za-z][\w+.-]*:/", text):
        return None
    camera = re.fullmatch(CAMERA, text)
    after = _after_an_option(each, typed, place, grammar)
    if camera:
        return OptionError(after) if after else _camera_problem(text)
    if ASSIGNMENT.fullmatch(word):
        return OptionError(_assigned(word, [other.word for other in typed], grammar))
    if after:
        return OptionError(after)
    if re.search(r"%0?\d*d", text):
        return InputError(f"{word}: no such file; of numbered pictures give the folder, or a pattern with *")
    if any(sign in text for sign in "*?["):
        return None if glob.glob(text) else InputError(f"{word}: no file matches")  # noqa: PTH207
    if text.lower() in OTHER_WORDS:
        rest = " ".join(other.word for other in typed if other.word.lower() not in OTHER_WORDS) or "video.mp4"
        return OptionError(f"{word} is not a file; leave the word out: track {rest}")
    if text in commands:
        return OptionError(f"{word} is not a file; a command comes first: track {text} ...")
    if text.lower() in ("help", "version"):
        return OptionError(f"{word} is not a file; write track --{text.lower()}")
    guess = _spelt_alike(Path(text))
    if place == 0 and not guess and not Path(text).suffix and (guess := near_miss(text, commands, SURE)):
        return OptionError(f"{word} is neither a file nor a command{guess}")
    if not guess and place == 1 and len(typed) == 2 and Path(text).suffix.lower() in FILM_ENDINGS:
        guess = f"; to name the output, write -o {word}"
    if len(typed) == 1 and not guess:
        return None  # its own run says the same, and nothing else waits for it
    return InputError(f"{word}: no such file{guess}")


def _after_an_option(each: Typed, typed: Sequence[Typed], place: int, grammar: Grammar) -> str | None:
    """Return what is wrong with a word that was meant to go on with the value of the option before it."""
    if each.option is None:
        return None
    name = grammar.names.get(each.option)
    if name is None:
        return None
    word, alone = each.word, len(typed) == 1
    if not grammar.takes(name):
        truth = word.lower() in ("true", "false", "yes", "no", "on", "off", "1", "0") and not alone
        keep = word.lower() in ("true", "yes", "on", "1")
        said = "give the option alone" if keep else "leave it out"
        return f"{each.option} takes no value, but got {word}: {said}" if truth else None
    if not each.before:
        return None
    is_number = re.fullmatch(rf"[\[(]?{NUMBER}[\]),]*", word) is not None
    if name == "classes" and not alone and (is_number or not re.search(r"[./\\]", word)):
        if is_number and all(other.option and other.word.isdecimal() for other in typed):
            return None  # cameras, and nothing else that could be the source
        more = [other.word for other in typed[place:] if other.option == each.option and _goes_on(other)]
        listed = ",".join(value.strip("[](),") for value in (*each.before, *more))
        return f"{word} is separate from {each.option}; write {each.option} {listed}"
    if name in POINTS and POINT.fullmatch(word):
        points = " ".join(
            (*each.before, *(other.word for other in typed[place:] if POINT.fullmatch(other.word)))
        )
        return f"{word} is separate; quote the whole value: {each.option} '{points}'"
    if is_number and not alone and not word.isdecimal():
        return f"{word} is too much: {each.option} takes one value: {each.before[0]}"
    if is_number and not alone and any(not other.word.isdecimal() for other in typed):
        return f"{word} is too much: {each.option} takes one value: {each.before[0]}"
    return None


def _goes_on(typed: Typed) -> bool:
    return not re.search(r"[./\\]", typed.word) and not _exists(typed.word)


def _assigned(word: str, all_words: Sequence[str], grammar: Grammar) -> str:
    """Return what to type instead of ``name=value``; of the whole line where all of it is written so."""
    name, value = word.split("=", 1)
    flag = _as_flag(word, grammar)
    if flag is not None:
        return f"{word} is not a file; options have two dashes: {flag}"
    told = answer(name, value.strip("\"'"))
    if told is not None and told == answer("source", value.strip("\"'")):
        others = [
            other if _exists(other) else _as_flag(other, grammar) for other in all_words if other != word
        ]
        if others and None not in others:
            told = " ".join((told, *map(str, others)))
    if told is not None:
        return f"{word} is not a file; {told}"
    known = [normal(flag) for flag in grammar.names if flag.startswith("--")]
    guess = near_miss(normal(name), known, SURE)
    return f"{word} is neither a file nor an option{guess}; options have the form --name value"


def _as_flag(word: str, grammar: Grammar) -> str | None:
    """Return ``name=value`` as an option of ours, ``""`` for one that is switched off, None if it is none."""
    name, _, value = word.partition("=")
    own = next((flag for flag in grammar.names if normal(flag) == normal(name)), None)
    if own is None:
        return None
    option = grammar.names[own]
    value = value.strip("\"'")
    if not grammar.takes(option):
        off = value.lower() in ("false", "0", "no", "off")
        return f"leave out {grammar.flag(option)}" if off else grammar.flag(option)
    if option == "classes":
        value = value.strip("[]() ").replace(" ", "")
    return f"{grammar.flag(option)} {_quoted(value)}"


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w.,:/@%+-]+", value) else f"'{value}'"


def _camera_problem(text: str) -> TrackError | None:
    """Return an error for a camera that this machine has not; only Linux tells without opening it."""
    if not sys.platform.startswith("linux"):
        return None
    device = Path(f"/dev/video{text}" if text.isdecimal() else text)
    if device.exists():
        return None
    found = sorted(path.name.removeprefix("video") for path in Path("/dev").glob("video[0-9]*"))
    there = f"found: {', '.join(found)}" if found else "no camera was found"
    return InputError(f"{text}: there is no camera {device}; {there}")


def _check_pictures(words: Sequence[str]) -> None:
    """Refuse many pictures as so many sources: the shell has made them of a pattern."""
    pictures = [Path(word) for word in words if Path(word).suffix.lower() in PICTURES]
    if len(pictures) > MANY and len(pictures) == len(words) and len({path.parent for path in pictures}) == 1:
        folder, ending = pictures[0].parent, pictures[0].suffix
        raise OptionError(
            f"{len(pictures)} pictures would be {len(pictures)} sources; quote the pattern:"
            f" track '{folder / '*'}{ending}'"
        )


def _spelt_alike(path: Path) -> str:
    try:
        others = [other.name for other in path.parent.iterdir()]
        if path.name in others:
            return "; it is a broken link"
    except OSError:
        return f"; there is no folder {path.parent}" if not path.parent.exists() else ""
    doubled = [path.name + ending for ending in FILM_ENDINGS if path.name + ending in others]
    if doubled:
        return f", did you mean {str(path.parent / doubled[0])!r}?"
    alike = [name for name in others if Path(name).suffix.lower() == path.suffix.lower()]
    return near_miss(path.name, alike, SURE)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False
