// The report in a real browser: nothing overflows at any width, the charts are drawn, nothing is fetched, and it prints.
// Measured in the page, not by comparing pictures; the pictures are for people (SHOTS).
//
// usage: node report.mjs CHROMIUM SHOTS REPORT...   (in a folder with its packages: `cargo xtask test` makes one)

import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const [executablePath, shots, ...reports] = process.argv.slice(2);
const WIDTHS = [360, 820, 1440];
// Debian's Chromium as root, without what it would try to fetch.
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const tally = { passed: 0, failed: 0 };

async function check(name, run) {
  try {
    await run();
    tally.passed += 1;
    console.log(`ok     browser: ${name}`);
  } catch (error) {
    tally.failed += 1;
    console.log(`FAILED browser: ${name}: ${error.stack}`);
  }
}

/** What sticks out: elements wider than what holds them, or beyond the page. */
function overflowing() {
  const page = document.documentElement.clientWidth;
  const out = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg") && element.tagName !== "svg") continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0) continue;
    const clipped = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline";
    if (box.right > page + 0.5 || box.left < -0.5 || clipped) {
      out.push(`${element.tagName}.${element.className} ${Math.round(box.left)}..${Math.round(box.right)} of ${page}: ${element.textContent.slice(0, 40)}`);
    }
  }
  return out.slice(0, 5);
}

/** Columns that begin before the one before them ends. */
function colliding() {
  const out = [];
  for (const row of document.querySelectorAll("tr")) {
    const cells = [...row.children].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return { text: cell.textContent.slice(0, 30), box: range.getBoundingClientRect() };
    }).filter(({ box }) => box.width > 0);
    for (let n = 1; n < cells.length; n += 1) {
      const [a, b] = [cells[n - 1].box, cells[n].box];
      const together = a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      if (together) out.push(`${cells[n - 1].text} | ${cells[n].text}`);
    }
  }
  return out.slice(0, 5);
}

function charts() {
  return [...document.querySelectorAll("svg.chart")].map((svg) => {
    const boxes = (selector) => [...svg.querySelectorAll(selector)].map((element) => element.getBoundingClientRect());
    const whole = svg.getBoundingClientRect();
    const inside = ({ left, right, top, bottom }) =>
      left >= whole.left - 1 && right <= whole.right + 1 && top >= whole.top - 1 && bottom <= whole.bottom + 1;
    const bars = boxes("rect.bar");
    return {
      width: whole.width,
      height: whole.height,
      bars: bars.length,
      visible: bars.filter((box) => box.width >= 2 && box.height >= 0.3).length,
      outside: [...bars, ...boxes("text")].filter((box) => !inside(box)).length,
      fill: getComputedStyle(svg.querySelector("rect.bar")).fill,
    };
  });
}

/** The least contrast of any text with what is behind it (WCAG 2.2, 1.4.3: 4.5). */
function leastContrast() {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((part) => {
      const c = Number(part) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let least = 21;
  for (const element of document.querySelectorAll("body *")) {
    if (!element.textContent.trim() || element.closest("svg")) continue;
    // Everything stands on white.
    least = Math.min(least, 1.05 / (luminance(getComputedStyle(element).color) + 0.05));
  }
  return least;
}

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath, args });
for (const report of reports) {
  const name = basename(dirname(report));
  const page = await browser.newPage();
  const fetched = [];
  const errors = [];
  page.on("request", (request) => fetched.push(request.url()));
  page.on("console", (message) => errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(pathToFileURL(report).href);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await check(`${name}: nothing overflows or collides at ${width} pixels`, async () => {
      assert.deepEqual(await page.evaluate(overflowing), []);
      assert.deepEqual(await page.evaluate(colliding), []);
    });
    await check(`${name}: both charts are drawn at ${width} pixels`, async () => {
      const drawn = await page.evaluate(charts);
      assert.equal(drawn.length, 2);
      for (const chart of drawn) {
        assert.ok(chart.bars >= 3 && chart.visible === chart.bars && chart.outside === 0, JSON.stringify(chart));
        assert.ok(chart.width > 200 && chart.height > 80 && chart.fill !== "rgb(0, 0, 0)", JSON.stringify(chart));
      }
    });
    await page.screenshot({ path: join(shots, `${name}-${width}.png`) });
  }
  await check(`${name}: text is dark enough to be read`, async () => {
    const least = await page.evaluate(leastContrast);
    assert.ok(least >= 4.5, `${least}`);
  });
  await check(`${name}: nothing is fetched, and nothing complains`, () => {
    assert.deepEqual(fetched, [pathToFileURL(report).href]);
    assert.deepEqual(errors, []);
  });
  await check(`${name}: names are text, whatever stands in them`, async () => {
    assert.equal(await page.evaluate(() => document.querySelectorAll("td b, script").length), 0);
    // A name from right to left does not turn round what follows it.
    const isolated = await page.evaluate(() => [...document.querySelectorAll("bdi.who")].every((one) => getComputedStyle(one).unicodeBidi === "isolate"));
    assert.ok(isolated);
  });
  await check(`${name}: it prints to PDF, page by page, as a table`, async () => {
    const path = join(shots, `${name}.pdf`);
    const pdf = (await page.pdf({ path, preferCSSPageSize: true, printBackground: true })).toString("latin1");
    const pages = (pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
    const rows = await page.evaluate(() => document.querySelectorAll("tbody tr").length);
    assert.ok(statSync(path).size > 20_000, `${statSync(path).size} bytes`);
    assert.ok(pages >= 2 && pages >= rows / 40 && pages <= rows + 3, `${pages} pages for ${rows} rows`);
    // A4, landscape.
    const [, width, height] = (pdf.match(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/) ?? []).map(Number);
    assert.ok(Math.abs(width - 842) < 1.5 && Math.abs(height - 595) < 1.5, `${width} x ${height}`);
    await page.emulateMedia({ media: "print" });
    const asTable = await page.evaluate(() => getComputedStyle(document.querySelector("thead")).display);
    await page.emulateMedia({ media: null });
    assert.equal(asTable, "table-header-group");
    console.log(`       ${pages} pages, ${statSync(path).size} bytes`);
  });
  await page.close();
}
await browser.close();
console.log(`test result: ${tally.failed ? "FAILED" : "ok"}. ${tally.passed} passed; ${tally.failed} failed;`);
process.exitCode = tally.failed ? 1 : 0;
