// Debian's Chromium, and what every test of the page asks of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const kProgram = "/usr/bin/chromium";
const kArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
];
const kPatience = 20_000; // milliseconds: other tests run beside this one
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const launch = () => chromium.launch({ executablePath: kProgram, args: kArguments });

/** A tab that fails the test where the page complains or asks another server for something. */
export class Tab {
  static async open(browser, { name, viewport, colorScheme }, folder) {
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1, reducedMotion: "reduce" });
    context.setDefaultTimeout(kPatience);
    return new Tab(context, await context.newPage(), name, folder);
  }

  constructor(context, page, name, folder) {
    Object.assign(this, { context, page, name, folder, complaints: [] });
    page.on("pageerror", (error) => this.complaints.push(error.stack));
    page.on("console", (message) => {
      const expected = message.text().startsWith("Failed to load resource"); // where a refusal is what is tested
      if (message.type() === "error" && !expected) this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      const host = new URL(request.url()).hostname;
      if (host !== "127.0.0.1") this.complaints.push(`asked for ${request.url()}`);
    });
  }

  async close() {
    assert.deepEqual(this.complaints, [], this.name);
    await this.context.close();
  }

  async goto(address, view) {
    await this.page.goto("about:blank");
    await this.page.goto(`${address}#/${view}`);
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** What axe says about the page as it stands, and a picture of it. */
  async inspect(view) {
    await this.page.evaluate(() => scrollTo(0, 0));
    await this.page.screenshot({ path: join(this.folder, `${view}-${this.name}.png`), fullPage: true });
    await this.page.evaluate(axe);
    const violations = await this.page.evaluate(async () => {
      const found = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    assert.deepEqual(violations, [], `axe: ${view} ${this.name}`);
  }

  async sees(locator, what) {
    await locator
      .first()
      .waitFor()
      .catch((error) => {
        throw new Error(`${this.name}: expected to see ${what}\n${error.message}`);
      });
  }

  /** Waits until a condition holds. */
  async until(condition, what) {
    const end = Date.now() + kPatience;
    while (!(await condition())) {
      assert.ok(Date.now() < end, `${this.name}: expected ${what}`);
      await this.page.waitForTimeout(50);
    }
  }
}
