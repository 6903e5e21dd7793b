// Reads pairs of wordings as JSON from the standard input, and prints the steps between each two.
import { readFileSync } from "node:fs";
import { load } from "./support.mjs";

const { differences } = load(["differences.js"]);
const pairs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(pairs.map(([before, after]) => differences.wording(before, after))));
