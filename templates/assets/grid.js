// Tiles of a strip or a matrix are one stop of the Tab key: arrows move between them, Home and End to the ends
// of a line.
window.gallery.mount("main", (main) => {
  "use strict";
  const GRIDS = ".strip, .matrix";

  /**
   * The tiles of a grid by their lines.
   * @param {Element} grid
   */
  function linesOf(grid) {
    const lines = grid.matches(".matrix") ? [...grid.querySelectorAll("tbody tr")] : [grid];
    return lines.map((line) => [.../** @type {NodeListOf<HTMLElement>} */ (line.querySelectorAll(".tile"))]);
  }

  /**
   * The tile that Tab comes to, with its own buttons; the others are left out.
   * @param {Element} grid
   * @param {Element} [chosen]
   */
  function rove(grid, chosen = grid.querySelector(".tile:not(:disabled)") ?? undefined) {
    for (const tile of linesOf(grid).flat()) {
      for (const stop of tile.parentElement?.querySelectorAll("button") ?? []) {
        stop.tabIndex = tile === chosen ? 0 : -1;
      }
    }
  }

  /**
   * Where a key leads from a tile.
   * @param {HTMLElement[][]} lines
   * @param {HTMLElement} tile
   * @param {string} key
   */
  function goal(lines, tile, key) {
    const down = lines.findIndex((line) => line.some((each) => each === tile));
    const across = lines[down].indexOf(tile);
    const line = lines[down];
    if (key === "Home") return line[0];
    if (key === "End") return line[line.length - 1];
    if (key === "ArrowLeft") return line[across - 1];
    if (key === "ArrowRight") return line[across + 1];
    if (key === "ArrowUp") return lines[down - 1]?.[across];
    return key === "ArrowDown" ? lines[down + 1]?.[across] : undefined;
  }

  for (const grid of main.querySelectorAll(GRIDS)) rove(grid);

  main.addEventListener("focusin", (event) => {
    const stop = /** @type {Element} */ (event.target);
    const grid = stop.closest(GRIDS);
    const tile = grid && stop.parentElement?.querySelector(".tile");
    if (grid && tile) rove(grid, tile);
  });

  // Before the player, which seeks by the same arrows elsewhere.
  main.addEventListener(
    "keydown",
    (event) => {
      /** @type {HTMLElement | null} */
      const tile = /** @type {Element} */ (event.target).closest(".tile");
      const grid = tile?.closest(GRIDS);
      if (!tile || !grid || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
      event.preventDefault();
      const next = goal(linesOf(grid), tile, event.key);
      if (next && !(/** @type {HTMLButtonElement} */ (next).disabled)) next.focus();
    },
    { capture: true },
  );
});
