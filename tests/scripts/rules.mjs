// Rules of a form like those that gallery/site/pages/add.py writes. The words are short here: that they are
// the checker's own, tests/site/test_add_rules.py holds.
export const WORDING = {
  DID_YOU_MEAN: "; did you mean {name}?",
  HIDDEN: "hidden {character}",
  HIDDEN_IN_NOTES: "hidden in notes {character}",
  LONG_FOR_GALLERY: "{duration} is over the gallery's {longest}",
  LONG_FOR_MODEL: "{duration} is over the {longest} of {model}",
  LONG_NOTES: "long notes {count}/{limit}",
  LONG_STRIDE: "stride {stride} of {window} of {model}",
  MANY_CLIPS: "clips {count}/{limit}",
  MANY_DIGITS: "digits of {value}",
  MANY_FOLDERS: "folders over {count}",
  MANY_LINES: "lines {count}/{limit}",
  MANY_SIGNS: "{count} of {sign}, {limit} at most",
  MANY_TAGS: "tags {count}/{limit}",
  MELODY_OUTSIDE: "lies outside",
  MISSING: "missing",
  MODEL_WITHOUT_MELODY: "{model} takes no melody: {models}",
  NO_DIGEST: "{value} is no {prefix}",
  NO_MELODY_FILE: "is none of {suffixes}",
  NO_MODEL: "no model {value}{near}: {known}",
  NO_NAME: "{name} is no name",
  NO_VALUES: "no values",
  NOT_OF_FORM: "{value} is not {form}",
  NOT_OF_KIND: "{value} is not {kind}",
  OUT_OF_RANGE: "{value} is not {bounds}",
  PILED: "over {count} marks",
  TAKEN: "{file} is there",
  TOO_LONG: "long {count}/{limit}",
  UNUSABLE_NUMBER: "{value} is unusable",
};

const whole = { whole: true, unit: "", kind: "a whole number" };
const real = { whole: false, unit: "", kind: "a number" };

export const RULES = {
  wording: WORDING,
  numbers: {
    duration: { ...real, unit: "s", exclusiveMinimum: 0, maximum: 600, bounds: "0 < to 600", usual: 10 },
    seed: { ...whole, minimum: 0, maximum: 4294967295, bounds: "0 to 4294967295", usual: 0 },
    cfg_coef: { ...real, minimum: 0, maximum: 20, bounds: "0 to 20", usual: 3 },
    extend_stride: { ...real, unit: "s", exclusiveMinimum: 0, exclusiveMaximum: 30, bounds: "0 < to < 30", usual: null },
  },
  forms: {
    name: ["^(?!con$)[a-z0-9_-]+$", "a name"],
    tags: ["^[\\p{Ll}\\p{Lo}0-9&]{1,30}$", "a tag"],
    author: ["^[a-z]+$", "a handle"],
    license: ["^[A-Z0-9.-]+$", "an identifier"],
  },
  hidden: "[\\x00-\\x08\\u200b\\u202e]",
  marks: 3,
  folders: 2,
  notes: { lines: 4, signs: ["[", "*"], most: 3 },
  digits: 40,
  meant: {
    comma: "^([+-]?(?:[0-9]+(?=,[0-9]{1,2}$)|0)),([0-9]+)$",
    seconds: "^([+-]?[0-9]+(?:[.,][0-9]+)?) ?(?:s|sec)$",
    clock: "^([0-9]{1,2}):([0-5][0-9])$",
  },
  digest: ["sha256:", "^sha256:[0-9a-f]{64}$"],
  suffixes: [".mp3", ".wav"],
  title: 20,
  limits: { prompt_length: 30, note_length: 50, tags: 3, clips_per_prompt: 6 },
  models: {
    small: { longest: 60, short: false, window: 30, melody: false },
    melody: { longest: 60, short: false, window: 30, melody: true },
    audiogen: { longest: 20, short: true, window: 10, melody: false },
  },
  presets: { long: { duration: 50 }, short: { duration: 5, extend_stride: null } },
  new: null,
  names: { "": ["rain", "rain-2"], lofi: ["train"] },
  tags: ["calm", "lofi"],
};
