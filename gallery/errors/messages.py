"""What people are told of a mistake in a prompt file: by the checker, and in the form of the site.

The site's form looks at what is typed by the same rules and fills the same templates, which are
those of `str.format` with nothing but names in the braces.
"""

from __future__ import annotations

from enum import StrEnum


class Wording(StrEnum):
    """What is wrong with a value, and what is accepted."""

    MISSING = "is missing; it is required"
    OUT_OF_RANGE = "{value} is out of range, {bounds}"
    UNUSABLE_NUMBER = "{value} is not a number that can be used"
    NOT_OF_KIND = "{value} is not {kind}"
    NOT_OF_FORM = "{value} is not accepted; expected {form}"
    TOO_LONG = "is {count} characters long; at most {limit} are accepted"
    NO_VALUES = "is an empty list; give at least one value"
    DID_YOU_MEAN = ' (did you mean "{name}"?)'
    MANY_DIGITS = "{value} has too many digits"
    PILED = "piles more than {count} marks on one letter; leave some out"
    MANY_FOLDERS = "lies more than {count} folders deep; move it up"
    NO_NAME = "{name} is no name to use; {form}"
    RENAME = "rename it to {name}"
    MISNAMED = "is not read under this name; rename it to {name}"
    COMMENT = "lacks {comment}: a # begins a comment; put the text in quotes if that belongs to it"
    CURLY = 'keeps the marks {marks} as letters; use straight quotes, ", or none'
    TAKEN = "{file} is there already; give another name"
    HIDDEN = "holds the invisible character {character}; remove it"
    HIDDEN_IN_NOTES = "hold the invisible character {character}; remove it"
    LONG_NOTES = "{count} characters; at most {limit} are accepted"
    MANY_SIGNS = "hold {count} of the sign {sign}; at most {limit} are accepted"
    MANY_LINES = "{count} lines; at most {limit} are accepted"
    MANY_TAGS = "{count} tags; at most {limit} are accepted"
    NO_MODEL = "{value} is not a model of this gallery{near}; known: {known}"
    MANY_CLIPS = "makes {count} clips; at most {limit} are accepted"
    LONG_FOR_GALLERY = "{duration} s is more than this gallery makes, {longest} s at most"
    LONG_FOR_MODEL = '{duration} s is more than model "{model}" makes, {longest} s at most'
    LONG_STRIDE = '{stride} is out of range for model "{model}", below {window}'
    MODEL_WITHOUT_MELODY = 'model "{model}" takes no melody; models that do: {models}'
    NO_DIGEST = "{value} is no digest; expected {prefix} and 64 hex digits"
    NO_MELODY_FILE = "is no melody file; accepted: {suffixes}"
    MELODY_OUTSIDE = "lies outside prompts/; put the file beside the prompt file"
