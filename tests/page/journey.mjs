// journey.mjs TASK: goes through the page as a person would. TASK is JSON: the addresses of servers, their key, and the
// folder for pictures. The commands that the page offers to copy, and the texts that they must write, go to stdout.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { launch, Tab } from "./browser.mjs";

const task = JSON.parse(process.argv[2]);
const kSizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const kMostBytes = 150_000; // of the page, compressed
const kFirstPaint = 2_000; // milliseconds; 200 where nothing else runs
const report = { copied: {} };

async function weigh() {
  const page = await (await fetch(task.serve)).text();
  const files = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path);
  assert.ok(files.length >= 3, page);
  const contents = await Promise.all(files.map(async (path) => (await fetch(task.serve + path)).arrayBuffer()));
  report.bytes = [Buffer.from(page), ...contents].reduce((sum, content) => sum + gzipSync(content).length, 0);
  assert.ok(report.bytes < kMostBytes, `the page has ${report.bytes} bytes`);
}

async function watch(tab) {
  const { page } = tab;
  await tab.goto(task.live, "training");
  await tab.sees(page.getByRole("heading", { name: "live" }), "the live run first");
  const step = page.locator(".figures dd").first();
  const before = await step.innerText();
  await tab.until(async () => (await step.innerText()) !== before, "the step to grow");
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  report.first_paint = Math.min(report.first_paint ?? Infinity, Math.round(paint));
  assert.ok(paint < kFirstPaint, `first paint after ${paint} ms`);

  const loss = page.getByRole("img", { name: /^Loss\. training: from [\d.]+ to [\d.]+ at step/ });
  await tab.sees(loss, "a picture of losses with its words");
  await page.getByRole("radio", { name: "Time" }).check();
  await tab.sees(page.getByRole("img", { name: /^Loss\. training.* at time \d+:\d+/ }), "the losses by time");
  await page.getByRole("radio", { name: "Steps" }).check();
  await loss.scrollIntoViewIfNeeded();
  const box = await loss.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await tab.button("Show all").click();
  await page.getByLabel("Logarithmic").check();
  await loss.focus();
  await page.keyboard.press("ArrowLeft");
  const cursor = page.locator(".chart-x", { hasText: /^step \d/ });
  await tab.sees(cursor, "the cursor's step");
  const picture = await loss.locator("canvas").elementHandle();
  await page.getByLabel("Logarithmic").uncheck();
  await tab.until(async () => !(await picture.evaluate((canvas) => canvas.isConnected)), "a picture of the other axis");
  await tab.sees(cursor, "the cursor's step in the new picture");

  const slider = page.getByLabel("Training time");
  await slider.focus();
  await page.keyboard.press("Home");
  const first = await page.locator("section[aria-label=Samples] blockquote").innerText();
  assert.equal(await slider.getAttribute("aria-valuetext"), "step 200");
  await page.keyboard.press("ArrowRight");
  assert.equal(await slider.getAttribute("aria-valuetext"), "step 400");
  assert.notEqual(await page.locator("section[aria-label=Samples] blockquote").innerText(), first);

  await page.getByLabel("Prompt").fill("the ");
  await tab.button("Sample now").click();
  await tab.sees(page.locator("form blockquote", { hasText: /^the / }), "a sample of this moment");
  await page.getByLabel("Prompt").fill("the €");
  await tab.button("Sample now").click();
  await tab.sees(page.getByRole("alert").getByText(/the alphabet has no/), "why there is no sample");
  await page.getByLabel("Prompt").fill("");
  await tab.button("Save").click();
  await tab.sees(page.getByText("Saved after this step."), "that it is saved");
  await page.getByText("Configuration").click();
  await tab.sees(page.getByText("model.hidden_size"), "the configuration");
  await page.getByText("Configuration").click();
  await tab.inspect("training");
}

async function compare(tab) {
  const { page } = tab;
  await tab.goto(task.live, "compare");
  const rows = page.locator("tbody tr");
  const names = () => rows.locator("th a").allInnerTexts();
  await tab.sees(rows, "runs");
  const sort = page.getByRole("columnheader", { name: "Best loss" });
  assert.equal(await sort.getAttribute("aria-sort"), "ascending");
  const ascending = (await names()).filter((name) => name !== "live");
  await sort.getByRole("button").click();
  assert.equal(await sort.getAttribute("aria-sort"), "descending");
  const losses = (await page.locator("td.best").allInnerTexts()).map(Number);
  assert.deepEqual(
    losses,
    [...losses].sort((a, b) => b - a),
  );
  await sort.getByRole("button").click();
  assert.deepEqual(
    (await names()).filter((name) => name !== "live"),
    ascending,
  );
  const wide = page.locator("tr", { has: page.getByRole("link", { name: "wide", exact: true }) });
  assert.match(await wide.innerText(), /hidden_size 40/);

  const legend = page.locator(".legend-entry", { hasText: "wide" });
  const tick = page.getByLabel("Show the curve of wide");
  await tick.setChecked(false);
  await tab.until(async () => (await legend.count()) === 0, "no curve of wide");
  const colors = () =>
    page.locator(".legend-entry i").evaluateAll((signs) => signs.map((sign) => sign.style.background));
  const others = await colors();
  await tick.setChecked(true);
  await tab.sees(legend, "the curve of wide");
  for (const color of others) assert.ok((await colors()).includes(color), `${color} for the same curve as before`);

  const renamed = `<i>${tab.name}`; // a name is a text, whatever it looks like
  await tab.button(`Rename spare-${tab.name}`).click();
  await page.getByLabel("New name").fill("live");
  await tab.button("Rename").click();
  await tab.sees(page.getByRole("alert").getByText("choose another name"), "that the name is taken");
  await page.getByLabel("New name").fill(renamed);
  await page.keyboard.press("Enter");
  await tab.sees(page.getByRole("link", { name: renamed, exact: true }), "the new name");
  await tab.button(`Delete ${renamed}`).click();
  await tab.button("Move to the trash").click();
  await tab.until(async () => !(await names()).includes(renamed), "the run to be gone");
  await tab.button("Delete live").click();
  await tab.button("Move to the trash").click();
  await tab.sees(page.getByRole("dialog").getByRole("alert"), "that a live run stays");
  await page.keyboard.press("Escape");
  await tab.until(async () => (await page.getByRole("dialog").count()) === 0, "the dialog to close");
  await tab.inspect("compare");
}

async function write(tab) {
  const { page } = tab;
  await tab.goto(task.serve, "write");
  const text = page.getByRole("textbox", { name: "Text" });
  const bars = page.getByRole("region", { name: "Distribution" });
  const status = page.locator(".said");
  await text.click();
  await page.keyboard.type("the rain ");
  await tab.sees(bars.getByRole("heading", { name: "What comes next" }), "a distribution");

  await page.getByLabel("Top-k").focus();
  await page.keyboard.press("Home");
  await tab.sees(bars.getByText("1 can be drawn"), "one character alone");
  assert.match(await bars.getByRole("button").first().innerText(), /100 %/);
  await page.keyboard.press("End");
  await tab.sees(bars.getByText(/^\d\d can be drawn/), "all characters");

  // A text can be had again.
  await page.getByLabel("Seed").fill("7");
  await page.getByLabel("Length").fill("100");
  await text.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Enter");
  await tab.sees(status.getByText(/^100 characters in .* seed 7/), "what was written");
  const written = await text.inputValue();
  assert.ok(written.startsWith("the rain ") && written.length === 109, written);
  const commands = page.getByRole("region", { name: "From elsewhere" });
  for (const language of ["curl", "Python", "rune"]) {
    await commands.getByRole("radio", { name: language }).check();
    report.copied[language] = { command: await commands.locator("pre").innerText(), written };
  }
  await tab.button("Write again").click();
  await tab.until(async () => (await text.inputValue()) === written, "the same text again");
  await page.getByLabel("Seed").fill("");
  await tab.button("Write again").click();
  await tab.sees(status.getByText(/^100 characters .* seed \d{6,}/), "a text of a seed of its own");
  assert.notEqual(await text.inputValue(), written);
  await tab.button("Keep this seed").click();
  assert.match(await page.getByLabel("Seed").inputValue(), /^\d{6,}$/);
  await page.getByLabel("Seed").fill("");
  await tab.button("Undo").click();
  assert.equal(await text.inputValue(), written);

  // Another character in the place of one that was clicked, and on from there.
  await page.keyboard.press("Tab");
  await text.evaluate((area) => area.scrollIntoView());
  const seventh = await page.locator(".layer").evaluate((layer) => {
    const range = document.createRange();
    range.setStart(layer.firstChild.firstChild, 6);
    range.setEnd(layer.firstChild.firstChild, 7);
    const { x, y, width, height } = range.getBoundingClientRect();
    return { x: x + width * 0.8, y: y + height / 2 };
  });
  await page.mouse.click(seventh.x, seventh.y);
  await tab.sees(bars.getByRole("heading", { name: "Instead of “i”" }), "the clicked character's alternatives");
  await tab.sees(bars.locator("ol[aria-busy=false]").getByRole("button", { pressed: true }), "it among them");
  const other = bars
    .getByRole("button", { pressed: false })
    .filter({ hasText: /^([a-z])\1/ })
    .first();
  const character = (await other.innerText()).slice(0, 1);
  await other.click();
  await tab.sees(status.getByText(/^100 characters/), "the rest anew");
  assert.equal((await text.inputValue()).slice(0, 7), `the ra${character}`);
  await tab.button("Undo").click();
  assert.equal(await text.inputValue(), written);

  // Surprise, also of a text that is pasted, with a character that the model does not know.
  await page.getByLabel("Colour by surprise").check();
  await text.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(
    "the sea slept. The € sea wept qzx.\n" + "the rain came over hills and the sea slept.\n".repeat(4),
  );
  await tab.sees(page.locator(".layer .surprise-6"), "what surprised it");
  await tab.sees(page.locator(".layer .surprise-0"), "what was expected");
  await tab.sees(status.getByText("The model does not know “T”, “€”, “z”, “x”"), "the unknown character");
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Enter");
  await tab.sees(status.getByText(/^100 characters/), "what was written");
  await tab.inspect("write");
  await page.getByLabel("Colour by surprise").uncheck();
  await tab.sees(page.locator(".layer .written"), "what the model wrote");
  await page.getByRole("combobox", { name: "Model" }).selectOption("gru");
  await tab.sees(page.getByText("gru 1 × 24"), "the other model");
}

async function missing(tab) {
  const { page } = tab;
  for (const [view, title] of [
    ["training", "No runs yet"],
    ["compare", "Nothing to compare yet"],
    ["write", "No model writes here"],
  ]) {
    await tab.goto(task.empty, view);
    await tab.sees(page.getByRole("heading", { name: title }), `the empty view ${view}`);
    await tab.inspect(`${view}-empty`);
  }
}

async function waiting(tab) {
  const { page } = tab;
  for (const [view, path, what] of [
    ["training", "api/runs", "runs"],
    ["compare", "api/runs", "runs"],
    ["write", "v1/models", "models"],
  ]) {
    let answer;
    const asked = new Promise((resolve) => (answer = resolve));
    await page.route(`**/${path}`, async (route) => {
      await asked;
      await route.abort();
    });
    await tab.goto(task.serve, view);
    await tab.sees(page.getByText(`Loading ${what} …`), `that ${view} loads`);
    await tab.inspect(`${view}-loading`);
    answer();
    await tab.sees(page.getByRole("alert").getByText("The server does not answer"), `that ${view} failed`);
    await tab.inspect(`${view}-error`);
    await page.unroute(`**/${path}`);
    await tab.button("Try again").click();
    await tab.until(async () => (await page.getByRole("alert").count()) === 0, "the server to answer again");
  }
}

async function unlock(tab) {
  const { page } = tab;
  await tab.goto(task.locked, "training");
  await page.getByLabel("API key").fill("another-key-that-is-wrong");
  await tab.button("Use this key").click();
  await tab.sees(page.getByRole("alert").getByText("This is not the key"), "that the key is wrong");
  await tab.inspect("key");
  await page.getByLabel("API key").fill(task.key);
  await page.keyboard.press("Enter");
  await tab.sees(page.getByRole("heading", { name: "Runs" }), "the runs");
  await page.reload();
  await tab.sees(page.getByRole("heading", { name: "Runs" }), "the runs without being asked again");
}

/** By keyboard alone; and the colours that were chosen stay. */
async function operate(tab) {
  const { page } = tab;
  await tab.goto(task.serve, "training");
  await tab.sees(page.getByRole("heading", { name: "Runs" }), "the runs");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await page.getByRole("link", { name: "Compare" }).focus();
  await page.keyboard.press("Enter");
  await tab.sees(page.getByRole("table"), "the table");
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await tab.button("Colours: automatic").click();
  await tab.button("Colours: light").click();
  assert.notEqual(await paper(), light);
  await page.reload();
  await tab.sees(tab.button("Colours: dark"), "the chosen colours");
}

async function stop(tab) {
  await tab.goto(task.live, "training");
  await tab.button("Stop").click();
  await tab.sees(tab.page.getByText("Stopping; it can be resumed."), "that it stops");
}

/** Every view as it looks in use. */
async function visit(tab) {
  const { page } = tab;
  await tab.goto(task.live, "training");
  await tab.sees(page.getByLabel("Training time"), "samples");
  await tab.inspect("training");
  await tab.goto(task.live, "compare");
  await tab.sees(page.locator(".legend-entry"), "curves");
  await tab.inspect("compare");
  await tab.goto(task.serve, "write");
  await page.getByLabel("Colour by surprise").check();
  await page.getByRole("textbox", { name: "Text" }).fill("the rain came ");
  await page.keyboard.press("Control+Enter");
  await tab.sees(page.locator(".said").getByText(/^300 characters/), "what was written");
  await tab.inspect("write");
}

const journeys = {
  "desktop-light": [watch, compare, write, waiting, operate],
  "desktop-dark": [visit, missing],
  "phone-light": [visit, unlock],
  "phone-dark": [watch, compare, write, missing, stop],
};

const browser = await launch();
try {
  await weigh();
  for (const [name, parts] of Object.entries(journeys)) {
    const [size, colorScheme] = name.split("-");
    const tab = await Tab.open(browser, { name, viewport: kSizes[size], colorScheme }, task.pictures);
    for (const part of parts) await part(tab);
    await tab.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(report));
