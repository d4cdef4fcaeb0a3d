// What is asked of a page in a browser. Returns problems as sentences, and figures for the test to judge.
function ask(document, window) {
  const problems = [];
  const say = (text, element) => problems.push(`${text}: ${(element.outerHTML || "").slice(0, 160)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });

  // names, languages, headings, landmarks
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title.trim()) problems.push("no title");
  if (all("h1").length !== 1) problems.push(`${all("h1").length} h1`);
  if (all("main").length !== 1) problems.push(`${all("main").length} main`);
  let before = 1;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) say(`heading jumps from ${before} to ${level}`, heading);
    if (!heading.textContent.trim()) say("empty heading", heading);
    before = level;
  }
  for (const drawing of all("img, svg[role=img]"))
    if (!(drawing.getAttribute("alt") || drawing.getAttribute("aria-label") || "").trim()) say("no name", drawing);
  for (const drawing of all("svg:not([role=img])"))
    if (!drawing.closest("svg[role=img]")) say("a drawing without a role", drawing);
  for (const element of all("[aria-labelledby]"))
    for (const id of element.getAttribute("aria-labelledby").split(" "))
      if (!document.getElementById(id)) say("labelled by nothing", element);
  const ids = all("[id]").map((element) => element.id);
  if (new Set(ids).size !== ids.length) problems.push("an id twice");

  // tables
  for (const table of all("table")) {
    if (!table.caption?.textContent.trim()) say("table without caption", table);
    if (table.getAttribute("role") !== "table") say("a card layout takes the role away", table);
    for (const row of table.tBodies[0].rows) if (row.cells[0].scope !== "row") say("row without header", row);
  }
  for (const cell of all("td[data-label]"))
    if (getComputedStyle(cell).display !== "table-cell" && cell.scrollHeight > cell.clientHeight + 1)
      say("a label runs into the next cell", cell);
  for (const header of all("th")) {
    if (!["row", "col"].includes(header.scope)) say("th without scope", header);
    if (!header.textContent.trim()) say("empty header", header);
  }

  // focus: in the order of the page, on things that can be seen
  for (const element of all("[tabindex]")) if (element.tabIndex > 0) say("focus out of order", element);
  for (const element of all("a[href], summary, button")) {
    if (!shown(element) && !element.closest("details:not([open])")) say("cannot be seen", element);
    if (!element.textContent.trim()) say("focus on something without a name", element);
  }

  // contrast of all text that is drawn: WCAG 2.2, 1.4.3
  const parse = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((c) => {
      const part = c / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(window.getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let texts = 0;
  let worst = 21;
  const walker = document.createTreeWalker(document.body, window.NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element)) continue;
    texts += 1;
    const style = window.getComputedStyle(element);
    const drawn = element.closest("svg") ? style.fill : style.color;
    const [low, high] = [light(parse(drawn)), light(behind(element))].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    worst = Math.min(worst, contrast);
    if (contrast < 4.5) say(`contrast ${contrast.toFixed(2)}`, element);
    const size = parseFloat(style.fontSize);
    if (!element.closest("svg") && size < 10) say(`text of ${size} px`, element);
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!element.closest("thead") && box.right > window.innerWidth + 1) say(`reaches to ${box.right} px`, element);
  }

  // where a text stands, to see that what is written from right to left moves nothing
  const place = (needle) => {
    const walker = document.createTreeWalker(document.body, window.NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.data.indexOf(needle);
      if (at < 0 || !shown(node.parentElement)) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + needle.length);
      const { left, right } = range.getBoundingClientRect();
      return { left, right };
    }
    return null;
  };

  const open = (element) => getComputedStyle(element).display !== "none";
  const hidden = all("article *").filter(
    (element) => element.children.length === 0 && element.textContent.trim() && open(element) && !shown(element),
  );
  return {
    problems,
    texts,
    worst,
    scrolls: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    requests: window.performance.getEntriesByType("resource").map((entry) => entry.name),
    hidden: hidden.map((element) => element.textContent),
    animated: all("*").filter((e) => {
      const style = window.getComputedStyle(e);
      return style.animationName !== "none" || style.transitionDuration !== "0s";
    }).length,
    name: place("קבוצת שחזור"),
    figure: place("(12)"),
    dark: window.matchMedia("(prefers-color-scheme: dark)").matches,
    background: window.getComputedStyle(document.body).backgroundColor,
  };
}
