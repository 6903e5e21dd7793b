// The shapes that the site's scripts share, and those that Python writes for them. Checked by
// `make lint`; tests/site/test_scripts.py has the compiler check what Python writes, too.

type ClipState = "render" | "sketch" | "pending" | "damaged" | "newer" | "lost";

/** A label, or nothing, and a value. */
type Fact = [label: string, value: string];

/** A clip as the player takes it: see the macro `data` in templates/parts/clips.html. */
interface Clip {
  key: string;
  /** The key's first eight digits. */
  id: string;
  state: ClipState;
  audio: string;
  cover: string;
  /** Seconds. */
  length: number;
  /** 200 of them, in the letters of base64. */
  peaks: string;
  page: string;
  /** In one line. */
  facts: string;
  label: string;
  name: string;
}

// ---- clips/<xx>.js, written by gallery/site/search/index.py

interface PackedClip {
  path: string;
  title: string;
  text: string;
  label: string;
  state: ClipState;
  audio: string;
  cover: string;
  peaks: string;
  /** Of a sketch: the same for those that sound alike. */
  sound?: string;
  length: number;
  facts: Fact[];
  values: [label: string, value: string][];
  request: Record<string, string | number>;
}

interface KnownClip extends Clip {
  path: string;
  sound?: string;
  title: string;
  text: string;
  pairs: Fact[];
  values: PackedClip["values"];
  request: PackedClip["request"];
  /** The audio's address in the site, or wherever it is. */
  file: string;
}

// ---- search/<part>.js, written by gallery/site/search/index.py

/** The slug is empty where the tag has no page. */
type Tag = [name: string, slug: string];

/** The line on what there is to compare: its lead, what stands in the accent, and what leads to takes that are left out. */
type Line = [lead: string, items: string[], all?: string];

/** The files only where they don't follow from the key. */
type PackedTake = [
  key: string,
  state: number,
  length: number,
  facts: Fact[],
  label: string,
  audio?: string,
  cover?: string,
];

/** A prompt; most of it by number in the part's tables. */
type PackedPrompt = [
  path: string,
  title: string,
  text: string,
  tags: number[],
  author: number,
  models: number[],
  lengths: number[],
  compares: number[],
  states: number[],
  tempo: number,
  ranges: number[],
  line: Line,
  takes: PackedTake[],
  /** Of all clips, or of each range. */
  seeds: number | null | (number | null)[],
  /** The take that plays first; 0 where it is left out. */
  start?: number,
  /** Words of the notes. */
  noted?: string,
];

interface SearchPart {
  part: number;
  tags: Tag[];
  models: string[];
  authors: string[];
  compares: string[];
  lengths: string[];
  states: ClipState[];
  /**
   * Values of parameters, in the order of `PARAMETERS` in gallery/site/search/words.py but for the seed; null
   * where a clip does not use it. The last, the stride, is left out where it is not used.
   */
  ranges: (number | null)[][];
  /** What stands before a clip's key in the addresses of its audio and of its cover. */
  homes: { [state in ClipState]?: [audio: string, cover: string] };
  rows: PackedPrompt[];
}

/** search/words.js, written by gallery/site/search/words.py. */
interface WordTable {
  /** Words of a group find each other. */
  forms: string[][];
  /** What can be asked for by name: a filter, or a parameter by its place among the packed values. */
  fields: Record<string, FilterName | number>;
}

// ---- add/rules.js, written by gallery/site/pages/add.py

/** A regular expression, and the words for what fits it. */
type Form = [pattern: string, form: string];

interface NumberRule {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  whole: boolean;
  /** `s` for seconds, else empty. */
  unit: string;
  /** The range in words. */
  bounds: string;
  kind: string;
  usual: number | null;
}

interface ModelRule {
  longest: number;
  /** Whether the model is what sets the longest. */
  short: boolean;
  window: number;
  melody: boolean;
}

interface Rules {
  /** `gallery.errors.messages.Wording`. */
  wording: Record<string, string>;
  numbers: Record<string, NumberRule>;
  forms: Record<string, Form>;
  hidden: string;
  marks: number;
  folders: number;
  notes: { lines: number; signs: string[]; most: number };
  digits: number;
  /** What numbers are written as, by the patterns of `gallery.errors.offers`. */
  meant: { comma: string; seconds: string; clock: string; profile: string };
  digest: [prefix: string, pattern: string];
  suffixes: string[];
  title: number;
  limits: Record<string, number>;
  models: Record<string, ModelRule>;
  presets: Record<string, Record<string, string | number | null>>;
  /** How the address of a new file on GitHub is put together. */
  new: { page: string; text: string; longest: number } | null;
  /** The prompt files that there are, by their folders. */
  names: Record<string, string[]>;
  tags: string[];
}

// ---- visits.js

/** By a link, in the place of what is shown, or by the ways back and forth. */
type VisitKind = "push" | "replace" | "pop";

/** A page that can come in the place of the one that is shown, and what it names. */
interface FoundPage {
  page: Document;
  address: URL;
  scripts: string[];
  styles: string[];
}

// ---- clips.js

interface Dom {
  within(root: ParentNode): <T extends Element = HTMLElement>(selector: string) => T;
  /** The element that is marked data-<name>. The templates have it, and say of which kind it is. */
  part(root: ParentNode): <T extends Element = HTMLElement>(name: string) => T;
  all(root: ParentNode, name: string): HTMLElement[];
  /** The element marked data-<name> around the place of an event. */
  around(event: Event): (name: string) => HTMLElement | null;
  make<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    properties?: Partial<HTMLElementTagNameMap[K]>,
  ): HTMLElementTagNameMap[K];
  /** A picture of parts/sprites.html. */
  icon(name: string, className?: string): HTMLElement;
}

/** What makes an element one that plays a clip. */
type Playable = Pick<Clip, "key" | "id" | "state" | "length" | "audio" | "cover" | "page" | "facts">;

interface Clips {
  /** The whole address of the site. */
  root: string;
  read(element: HTMLElement): Clip;
  give(element: HTMLElement, clip: Playable): void;
  /** By its key, or by the key's first eight digits or more; null if the gallery has none. */
  find(key: string): Promise<KnownClip | null>;
  hostOf(element: HTMLElement): HTMLElement;
  elementsOf(clip: Clip | null): HTMLElement[];
  /** Adds to rows and links below an element what their page leaves to scripts. */
  nameTake(whole: string, label: string): string;
  showPicture(picture: HTMLElement, clip: Pick<Clip, "state" | "cover">): void;
  /** In a row, what is shown of the take that plays. */
  showTake(host: HTMLElement, clip: Pick<Clip, "state" | "cover" | "facts">): void;
  factsOf(pairs: Fact[]): HTMLElement[];
  line(pairs: Fact[]): string;
  link(address: string): string;
  /** The catalogue's prompts with a tag. */
  searchFor(tag: string): string;
  /** Says of an element in which language its text is. */
  mark(element: HTMLElement, text: string): void;
  /** The same, and on which side it stands: that of the text beside it. */
  tell(element: HTMLElement, text: string, beside?: string): void;
  /** A clip's name in its language, and its label, which is in the page's. */
  showName(element: HTMLElement, clip: Pick<Clip, "name" | "label">): void;
  loadScript(address: string): Promise<unknown>;
  clock(seconds: number): string;
  shorten(text: string): string;
}

// ---- storage.js

type StoragePlace = "localStorage" | "sessionStorage";

interface GalleryStorage {
  get(name: string, otherwise: unknown, place?: StoragePlace): unknown;
  set(name: string, value: unknown, place?: StoragePlace): void;
  list(name: string): string[];
  isFavourite(key: string): boolean;
  addFavourites(keys: string[]): void;
  removeFavourite(key: string): void;
  addHeard(key: string): void;
}

// ---- whole.js, deck.js

type DeckEvent =
  | "play"
  | "pause"
  | "ended"
  | "seeked"
  | "loadedmetadata"
  | "timeupdate"
  | "error"
  | "swap"
  | "unseekable";

interface DeckSettings {
  volume: number;
  muted: boolean;
  rate: number;
}

interface Whole {
  /** Where a clip is that was fetched before. */
  get(src: string): string | undefined;
  /** `used`: addresses that are played from, and not to be forgotten. */
  fetch(src: string, used: string[]): Promise<string>;
}

interface Deck {
  /** From this second. */
  start(src: string, at: number): Promise<void>;
  /** At the second that is heard, without a pause. */
  swap(src: string): Promise<void>;
  play(): Promise<void>;
  pause(): void;
  seek(seconds: number): void;
  /**
   * These are switched between. Of two, the one that isn't heard goes along; of more, all are loaded as
   * soon as one of them plays.
   */
  pair(addresses: string[]): void;
  src(): string;
  time(): number;
  length(): number;
  paused(): boolean;
  set(settings: Partial<DeckSettings>): void;
  settings(): DeckSettings;
}

// ---- player.js, actions.js

interface PlayOptions {
  /** At this second. */
  from?: number;
  /** At the second that is heard, without a pause. */
  together?: boolean;
  /** At the second where the dock stands, even if it is silent. */
  stays?: boolean;
}

interface Player {
  play(element: HTMLElement, from?: number): void;
  playClip(clip: Clip, how?: PlayOptions, list?: Clip[]): void;
  /** Into the dock, silently, at this second. */
  put(clip: Clip, second: number): void;
  /** What follows, and where the current clip is among it: queue.js shows and changes it. */
  queue: { list: Clip[]; place: number };
  /** The seconds that are played over and over, as dock.js has them set. */
  stretch: { from: number | null; to: number | null };
  /** What another page has left: a queue, and the second of the clip in this place of it. */
  resume(list: Clip[], place: number, second: number, plays: boolean): void;
  toggle(): void;
  step(by: number): boolean;
  seek(seconds: number): void;
  seekBy(seconds: number): void;
  at(): number;
  paused(): boolean;
  /** Whether the clip in the dock is heard: not while it is still loading. */
  sounds(): boolean;
  /** Clips that are compared: a switch between them takes hardly any time. */
  pair(list: Clip[]): void;
  set: Deck["set"];
  settings: Deck["settings"];
  /** What is in the dock; in a blind test, nobody is told. */
  current(): Clip | null;
  isOpen(): boolean;
  /** In a blind test, what to say in place of all that would tell; nothing lifts the veil. */
  veil(text: string, length: number): void;
  /** What is said in place of it; empty where no veil is. */
  veiled(): string;
  say(text: string): void;
}

// ---- rows.js, search.js, query.js, vocabulary.js

interface RowPrompt {
  path?: string;
  page?: string;
  title: string;
  text: string;
  tags: Tag[];
  line: Line;
  /** The take that plays first. */
  start?: number;
}

type RowTake = Playable & Pick<KnownClip, "pairs" | "label">;

type FilterName = "folder" | "model" | "tag" | "author" | "length" | "compares" | "state";

interface SearchPrompt extends Required<Omit<RowPrompt, "page">> {
  tempo: number;
  packed: PackedTake[];
  states: ClipState[];
  homes: SearchPart["homes"];
  values: Record<FilterName, string[]>;
  /** For each clip, or for several alike, the values of all parameters. */
  settings: (number | null)[][];
  position: number;
  /** The numbers of the filters' values. */
  facets: number[][];
  /** All that words are sought in, each part between spaces; and where title, tags, text, notes and rest end. */
  sought: string;
  bounds: number[];
  /** What it is sorted by: made when it is asked for. */
  folded?: string;
}

/** A range that is asked for: its place among the packed values, its ends. */
type AskedRange = [place: number, low: number, high: number];

/** One thing that a query asks of prompts. */
interface Term {
  /** As it is typed, and where. */
  text: string;
  from: number;
  to: number;
  /** How well a prompt fits; 0 where it doesn't. */
  score(prompt: SearchPrompt): number;
  /** What is to be marked where it is said. */
  marks: string[];
  /** What it was taken for, where nothing says it. */
  taken: string;
  range: AskedRange | null;
  /** A word, as it is compared. */
  word: string;
}

interface Query {
  parse(q: string): Term[];
  within(prompt: SearchPrompt, asked: AskedRange[]): boolean;
  /** Queries that begin so. */
  complete(q: string, most: number): string[];
  /** The word that is most like one; nothing where none is like it at all. */
  near(word: string): string;
}

interface Vocabulary {
  /** How many mistakes a word may have. */
  allowed(word: string): number;
  /** Whether a word, or a part of one, is said anywhere. */
  has(part: string): boolean;
  near(word: string, isBegun: boolean, most?: number): string;
  nearOf(word: string, others: string[]): string;
  /** Words that begin so, the most frequent first. */
  complete(begun: string, most: number): string[];
}

/** What a visitor asks the list for; the ends of ranges as they are written, or empty. */
interface Asked {
  q: string;
  order: string;
  chosen: Record<FilterName, string[]>;
  ranges: Record<string, string[]>;
}

/** How many prompts choosing a value would leave. */
type Count = (name: FilterName, value: string) => number;

/** One thing that is asked for, what it is called, and what is asked for without it. */
interface Condition {
  label: string;
  state: Asked;
  isFilter: boolean;
}

type Counted = Condition & { count: number };

interface Answers {
  conditions(state: Asked, terms: Term[], nameOf: (name: FilterName, value: string) => string): Condition[];
  /** What is asked for with a word that is near in the place of one that nobody says. */
  near(state: Asked, terms: Term[], nearest: (word: string) => string): Condition[];
  /** Those that find something. */
  counted(offers: Condition[], count: (state: Asked) => number): Counted[];
  /** Says what was taken for what. */
  taken(terms: Term[]): (string | Node)[];
  drawChips(list: HTMLElement, chips: Condition[], take: (state: Asked) => void): void;
  drawNear(nothing: HTMLElement, offers: Counted[], without: Counted[], take: (state: Asked) => void): void;
}

interface Search {
  names: FilterName[];
  ranges: string[];
  /** All prompts, newest first. `scripts` are those that searching needs, where they are not the usual ones. */
  load(parts: number, scripts?: string[]): Promise<SearchPrompt[]>;
  /** The prompts that fit, in order, and beside each value how many choosing it would leave. */
  look(prompts: SearchPrompt[], state: Asked): { prompts: SearchPrompt[]; count: Count; terms: Term[] };
  /** Looks up keys of clips that a query holds; whether one was found that was not known before. */
  findKeys(q: string): Promise<boolean>;
  complete: Query["complete"];
  near: Query["near"];
  takesOf(prompt: SearchPrompt): RowTake[];
  /** The place of the take that plays first: the one that is asked for by its key, else the prompt's own. */
  startOf(prompt: SearchPrompt, terms: Term[]): number;
}

// ---- differences.js, compare.js

/** A part of a wording that stays, that went or that came. */
type Step = [kind: "=" | "-" | "+", text: string];

/** Of a label, what it is for a and for b. */
type Difference = [label: string, a: string, b: string];

interface Differences {
  wording(before: string, after: string): Step[];
  alike(steps: Step[]): boolean;
  between(a: Pick<KnownClip, "text" | "values">, b: Pick<KnownClip, "text" | "values">): Difference[];
}

type Side = "a" | "b";

type Pair = Record<Side, KnownClip>;

// ---- blind.js, pairs.js, daily.js

type Letter = Side | "x";

/** What X was, and what was said of it. */
interface Answer {
  x: Side;
  said: Side;
}

type Score = [right: number, all: number];

/** A round of a listening test, and the next. */
interface Trial {
  /** X is drawn anew. Of another pair than before, all three have to be heard anew. */
  begin(pair: Pair): void;
  /** Says what A and B are; both can still be heard. */
  reveal(isPaused: boolean): void;
  end(): void;
}

interface Odds {
  /** How likely at least so many are by tossing a coin: the sum of binomials over two to the nth. */
  byChance(right: number, all: number): number;
  /** 0.1445 as 14 %, 0.0039 as 0.4 %. */
  percent(share: number): string;
  verdict(right: number, all: number): string;
}

/** hear/pairs.js, written by gallery/site/pages/hear.py: two keys, and what differs. */
type PackedPair = [a: string, b: string, label: string];

// ---- promptfile.js, checker.js, add.js

/** Numbers and days as they are written, since they stand without quotes. */
type FileValue = string | { number: string; day?: undefined } | { day: string; number?: undefined };

/** Texts by the names of the form's fields. */
type Texts = Record<string, string | undefined>;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface PromptFile {
  folder: string;
  name: string;
  /** All fields in their order: `tags` and `vary` hold the lists below. */
  matter: Map<string, FileValue | string[] | Map<string, FileValue[]>>;
  tags: string[];
  grid: Map<string, FileValue[]>;
  notes: string;
}

interface PromptFiles {
  /** A file out of what was typed; `otherwise` is a name for want of a better. */
  read(typed: Texts, today: string, otherwise: string): PromptFile;
  write(file: PromptFile): string;
  /** The combinations of a grid; of none there is one, which changes nothing. */
  cells(grid: PromptFile["grid"]): Record<string, FileValue>[];
  pathOf(file: PromptFile): string;
  isName(name: string): boolean;
  isTaken(folder: string, name: string): boolean;
}

type Fault = [place: string, message: string];

interface Asks {
  clips: number;
  seconds: number;
}

// ---- what scripts find in their window

interface Gallery {
  /**
   * Has a script do something on every page that names it and has such an element. `signal` ends it: listeners
   * of the document and the window take it, timers and the like are to heed it.
   */
  mount(selector: string, start: (root: HTMLElement, signal: AbortSignal) => void): void;
  /** Ends what scripts do on a page, and begins it on the next, which names these scripts. */
  page: { leave(): void; enter(scripts: string[]): void };
  /** Goes to a page as a link does: in the place of this one, if that can be, so that sound goes on. */
  visit(address: string, how?: { replace?: boolean }): void;
  /** Another address for this page, as a step of its own to go back from. */
  push(address: string): void;
  storage: GalleryStorage;
  /** Its earlier name. */
  keep: object;
  dom: Dom;
  clips: Clips;
  /**
   * `tell` hears of what is heard; "swap" when another element takes its place; "unseekable" when a clip cannot be
   * sought in, since its server gives no parts of it and it cannot be fetched whole.
   */
  makeDeck(tell: (kind: DeckEvent) => void): Deck;
  /** In a blind test, `veil` stands in the place of all that would tell. */
  whole?: Whole;
  player: Player;
  /** `done` is told as soon as the text is there to be pasted. */
  copy(text: string, done: () => void): void;
  /** Copies, and says so in the button. */
  copyBy(button: HTMLElement, text: string): void;
  save(name: string, type: string, text: string): void;
  keysAreOff(event: KeyboardEvent): boolean;
  drawRow(prompt: RowPrompt, takes: RowTake[]): HTMLElement;
  search: Search;
  /** These come with the index. `keys` knows keys of clips, and their prompts' paths. */
  makeQuery(prompts: SearchPrompt[], keys: Map<string, string>): Query;
  makeVocabulary(prompts: SearchPrompt[]): Vocabulary;
  foldWords(text: string): string;
  /** Marks in an element's text what begins so. */
  markWords(element: Element, marks: string[]): void;
  answers: Answers;
  suggest(field: HTMLInputElement, complete: Query["complete"]): void;
  differences: Differences;
  comparison: { pair: Pair };
  /**
   * A prompt out of the ways from it to its takes' wordings: parts that stay, with one text, and parts with
   * a text for each take.
   */
  weave(ways: Step[][]): string[][];
  /** The take with this text in this place that is otherwise most like the current one; -1 if there is none. */
  choose(places: string[][], place: number, text: string, current: number): number;
  odds: Odds;
  /** A section with the markup of parts/trial.html as a round; `answered` is told when it is answered. */
  makeTrial(section: HTMLElement, answered: (answer: Answer) => void, signal?: AbortSignal): Trial;
  /** The pairs of a day, written as 2026-11-30. */
  choosePairs(pairs: PackedPair[], day: string, amount: number): PackedPair[];
  promptFile: PromptFiles;
  /** What is wrong, and what the file asks for; null where that cannot be said. */
  checkPromptFile(file: PromptFile): { asks: Asks | null; faults: Fault[] };
}

interface Window {
  gallery: Gallery;
  GALLERY: SearchPart[];
  /** The player as HTML, from assets/furniture.js. */
  GALLERY_DOCK?: string;
  GALLERY_WORDS: WordTable;
  GALLERY_CLIPS?: Record<string, Record<string, PackedClip>>;
  GALLERY_RULES: Rules;
  GALLERY_PAIRS: PackedPair[];
}

interface DocumentEventMap {
  /** Asks the player to show the clip of the element. */
  "clip:show": Event;
  /** A clip is in the dock. */
  "clip:shown": CustomEvent<Clip>;
  /** The clip's audio could not be loaded. */
  "clip:failed": CustomEvent<Clip>;
  /** A page is to be left; whoever keeps it prevents that. */
  "page:leave": CustomEvent<VisitKind>;
  /** Another queue, or another place in it. */
  "queue:changed": Event;
  /** What the dock tells beside the clip is another: speed, repeat. */
  "dock:changed": Event;
  /** Rows were drawn anew. */
  "rows:drawn": Event;
  /** Something under this name was kept, or is no longer. */
  "storage:changed": CustomEvent<string>;
}
