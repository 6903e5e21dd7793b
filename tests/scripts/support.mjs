// Runs the site's scripts without a browser: each as a page does, in a window that has no more than asked for.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const ASSETS = new URL("../../templates/assets/", import.meta.url);

/**
 * The global `window.gallery` after these scripts have run, one after the other.
 * @param {string[]} names - of files in templates/assets
 * @param {object} [globals] - what else the scripts find in their window
 */
export function load(names, globals = {}) {
  const window = vm.createContext(Object.assign(globals, { gallery: globals.gallery ?? {} }));
  window.window = window;
  for (const filename of names) {
    vm.runInContext(readFileSync(new URL(filename, ASSETS), "utf8"), window, { filename });
  }
  return window.gallery;
}

/** Data of another window as data of this one: deepEqual asks for the same prototypes. */
export const plain = (data) => structuredClone(data);
