// Opens reports in a real browser, as whoever decides a launch does, and says what is wrong with them.
//
//     node .ci/reports/check.mjs PICTURES RUN…
//
// A run is a folder with a report.html. Each is opened at 1280, 1400 and 390 pixels, light and dark: it
// asks nobody for anything, runs no script under its policy, is no wider than the window, has no finding
// of axe, and each of its links shows what it points to; a report of a run that held prints on eight
// pages at most. Pictures of the first screens go to PICTURES. Last of all the same checks are made of a
// page that breaks every one of them: a check that cannot fail shows nothing. Needs chromium; see
// package.json for the rest.
import { execFileSync } from "node:child_process";
import { readFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const MAX_BYTES = 3_000_000;
const MAX_PRINTED = 8;
const SCREENS = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything that is wrong with one page, as words; its pictures are kept under `name`. */
async function check(browser, file, pictures, name) {
  const wrong = new Set();
  const size = statSync(file).size;
  if (size >= MAX_BYTES) wrong.add(`size: ${size} bytes`);
  const page = await browser.newPage();
  const url = pathToFileURL(file).href;
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url) wrong.add(`network: it asks for ${request.url()}`);
  });
  page.on("console", (message) => wrong.add(`console: ${message.text()}`));
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const screen of SCREENS) {
      await page.setViewport(screen);
      await page.goto(url);
      const picture = join(pictures, `${name}-${screen.width}-${scheme}.png`);
      await page.screenshot({ path: picture });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > screen.width) wrong.add(`width: ${width} pixels on ${screen.width}`);
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await window.axe.run()).violations
        .map((one) => `${one.id} at ${one.nodes.slice(0, 3).map((node) => node.target).join(" and ")}`));
      for (const one of found) wrong.add(`axe: ${one} (${screen.width}, ${scheme})`);
    }
  }
  for (const one of await opened(page, url)) wrong.add(one);
  for (const one of await followed(page, url)) wrong.add(one);
  if (await page.$("h1 .held")) {
    const printed = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    const pages = printed.match(/\/Type\s*\/Page\b/g).length;
    if (pages > MAX_PRINTED) wrong.add(`print: ${pages} pages`);
  }
  await page.close();
  if (await runsScript(browser, url)) wrong.add("script: its policy lets one run");
  return [...wrong];
}

/** With every part of the checklist open the matrix fits a wide window. */
async function opened(page, url) {
  await page.setViewport({ width: 1400, height: 900 });
  await page.goto(url);
  for (const box of await page.$$("table.matrix input:not(:checked)")) await box.click();
  return page.evaluate(() => {
    const hidden = [...document.querySelectorAll("table.matrix tr.row")]
      .filter((row) => !row.checkVisibility());
    const wrong = hidden.length ? [`matrix: ${hidden.length} rows cannot be opened`] : [];
    const matrix = document.querySelector("table.matrix")?.parentElement;
    const over = matrix ? matrix.scrollWidth - matrix.clientWidth : 0;
    return over > 0 ? [...wrong, `matrix: ${over} pixels do not fit on 1400`] : wrong;
  });
}

/** Each link shows what it points to, wherever that was folded away. */
async function followed(page, url) {
  await page.goto(url);
  return page.evaluate(async () => {
    const links = new Set([...document.querySelectorAll("a[href^='#']")].map((one) => one.getAttribute("href")));
    const wrong = [];
    for (const hash of links) {
      document.querySelectorAll("details").forEach((one) => { one.open = false; });
      document.querySelector(`a[href="${hash}"]`).dispatchEvent(new MouseEvent("click", { cancelable: true }));
      await new Promise((done) => setTimeout(done, 20));
      const target = document.getElementById(decodeURIComponent(hash.slice(1)));
      if (!target) wrong.push(`link: ${hash} leads nowhere`);
      else if (!target.checkVisibility() || target.getBoundingClientRect().height === 0) {
        wrong.push(`link: ${hash} stays folded`);
      }
    }
    if (links.size === 0) wrong.push("link: there is none");
    return wrong;
  });
}

/** Whether a script that got into the page would run. */
async function runsScript(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
    return window.ran === true;
  });
  await page.close();
  return ran;
}

/** The page with everything wrong with it that is looked for. */
function broken(text) {
  const bad = `<img src="http://127.0.0.1:9/x.png"><a href="#nowhere">nowhere</a><div style="width:9000px">wide</div>
    <style>table.matrix { min-width: 9000px } details:has(:target)::details-content { display: none !important }
    body { font-size: 60px !important }</style>`;
  const filler = `<!--${"x".repeat(MAX_BYTES)}-->`;
  return text.replace(/<meta http-equiv[^>]*>/, "").replace("</body>", `${bad}${filler}</body>`);
}

const [pictures, ...runs] = process.argv.slice(2);
if (runs.length === 0) {
  console.error("usage: node .ci/reports/check.mjs PICTURES RUN…");
  process.exit(2);
}
mkdirSync(pictures, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: execFileSync("sh", ["-c", 'command -v "${CHROMIUM:-chromium}"'], { encoding: "utf8" }).trim(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
let bad = false;
try {
  for (const run of runs) {
    const name = basename(resolve(run, run.endsWith("latest") ? ".." : "."));
    const wrong = await check(browser, resolve(run, "report.html"), pictures, name);
    console.log(`${run}: ${wrong.length ? `WRONG\n  ${wrong.join("\n  ")}` : "as it should be"}`);
    bad ||= wrong.length > 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "windthrow-report-"));
  const file = join(folder, "report.html");
  const held = runs.map((run) => readFileSync(resolve(run, "report.html"), "utf8"))
    .find((text) => /<h1><span class="held"/.test(text));
  if (held) {
    writeFileSync(file, broken(held));
    const wrong = await check(browser, file, folder, "broken");
    const kinds = ["size", "network", "width", "axe", "matrix", "link", "print", "script"];
    const missed = kinds.filter((kind) => !wrong.some((one) => one.startsWith(`${kind}: `)));
    console.log(`a broken page: ${missed.length ? `WRONG, nothing found of ${missed}` : "found out"}`);
    bad ||= missed.length > 0;
  } else {
    console.log("no run held: printing was not checked, nor whether these checks can fail");
    bad = true;
  }
  rmSync(folder, { recursive: true });
} finally {
  await browser.close();
}
process.exit(bad ? 1 : 0);
