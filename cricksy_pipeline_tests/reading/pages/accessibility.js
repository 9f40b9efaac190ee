// What a page does wrong for people who do not see it, or see it badly: a list of sentences, empty where nothing was found.
() => {
  const found = [];
  const shown = (e) => e.checkVisibility({ opacityProperty: false, visibilityProperty: true }) && !e.closest("[aria-hidden=true]");
  const name = (e) => {
    const by = (e.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
    if (by.includes(null)) found.push(`${e.outerHTML.slice(0, 80)} is labelled by what is not there`);
    if (by.length) return by.map((x) => x?.textContent).join(" ").trim();
    if (e.getAttribute("aria-label")) return e.getAttribute("aria-label");
    if (e.labels?.length) return [...e.labels].map((x) => x.textContent).join(" ").trim();
    if (e.matches("input, select, textarea, progress")) return "";
    if (e.matches("img")) return e.getAttribute("alt") || "";
    return e.textContent.trim();
  };

  const acting = "a[href], button, input, select, textarea, summary, [tabindex], [role=slider], [role=group], [role=radiogroup], progress, video, img, svg[role=img]";
  for (const e of document.querySelectorAll(acting)) {
    if (!shown(e) || e.id === "main" || e.matches("svg svg")) continue;
    if (!name(e)) found.push(`has no name: ${e.outerHTML.slice(0, 100)}`);
    if (Number(e.getAttribute("tabindex")) > 0) found.push(`jumps the order: ${e.outerHTML.slice(0, 80)}`);
  }

  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push(`the id ${id} is there twice`);
  for (const e of document.querySelectorAll("[aria-describedby], [for]")) {
    for (const id of (e.getAttribute("aria-describedby") || e.getAttribute("for")).split(/\s+/)) if (!ids.includes(id)) found.push(`${id} is pointed to and not there`);
  }

  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown);
  if (headings.filter((h) => h.tagName === "H1").length !== 1) found.push("there is not one h1");
  headings.forEach((h, i) => {
    if (i && Number(h.tagName[1]) > Number(headings[i - 1].tagName[1]) + 1) found.push(`${h.tagName} after ${headings[i - 1].tagName}: ${h.textContent}`);
  });
  if (!document.documentElement.lang || !document.title || !document.querySelector("main")) found.push("no language, title or main");
  for (const table of document.querySelectorAll("table")) if (!table.querySelector("th[scope=col]") || !table.querySelector("th[scope=row]")) found.push("a table without headers");

  // Contrast (WCAG 2.2, 1.4.3), of text on the nearest background that is painted.
  const parse = (text) => {
    const canvas = (parse.canvas ||= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return parse(getComputedStyle(document.documentElement).getPropertyValue("--paper"));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !shown(e) || e.closest(".unseen, noscript, script, option, :disabled, [data-sending]")) continue;
    const style = getComputedStyle(e), ink = parse(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)}`);
  }

  // Size of what is pressed (WCAG 2.2, 2.5.8): 24 by 24 pixels, but for links in running text.
  for (const e of document.querySelectorAll("button, select, summary, .button, nav a, input:not([type=file])")) {
    if (!shown(e) || e.disabled) continue;
    const box = (e.closest("label") || e).getBoundingClientRect();
    if (box.width && (box.width < 24 || box.height < 24)) found.push(`too small to press: ${name(e)} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push(`the page is ${wide} pixels wider than the screen`);
  return found;
}
