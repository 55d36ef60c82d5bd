// pictures.mjs TASK: the pictures of docs/page.md. TASK is JSON: the addresses of servers, and the folder.
import { join } from "node:path";
import { launch, Tab } from "./browser.mjs";

const task = JSON.parse(process.argv[2]);
const kDesktop = { width: 1180, height: 820 };
const kPhone = { width: 390, height: 844 };
const browser = await launch();

/** A view, brought to where it shows most. */
async function picture(name, { address, view, viewport, colorScheme }, prepare) {
  const tab = await Tab.open(browser, { name, viewport, colorScheme }, task.pictures);
  await tab.goto(address, view);
  await prepare(tab, tab.page);
  await tab.page.mouse.move(0, 0);
  await tab.page.waitForTimeout(500);
  await tab.page.screenshot({ path: join(task.pictures, `${name}.png`) });
  await tab.close();
}

async function writeOn(tab, page) {
  await page.getByLabel("Temperature").fill("0.6");
  await page.getByRole("textbox", { name: "Text" }).fill("The only thing we know about");
  await page.getByLabel("Seed").fill("11");
  await page.getByLabel("Length").fill("600");
  await page.getByRole("textbox", { name: "Text" }).press("Control+Enter");
  await tab.sees(page.locator(".said").getByText(/^600 characters/), "what was written");
}

await picture(
  "training",
  { address: task.live, view: "training", viewport: kDesktop, colorScheme: "light" },
  async (tab, page) => {
    await tab.sees(page.getByLabel("Training time"), "samples");
    await tab.sees(page.locator(".chart").first(), "curves");
  },
);
await picture(
  "samples",
  { address: task.live, view: "training", viewport: kPhone, colorScheme: "dark" },
  async (tab, page) => {
    await tab.sees(page.getByLabel("Training time"), "samples");
    await page.getByLabel("Training time").fill("3");
    await page.getByLabel("Prompt").fill("Nothing is ");
    await tab.button("Sample now").click();
    await tab.sees(page.locator("form blockquote"), "a sample of this moment");
    await page.locator("section[aria-label=Samples]").evaluate((section) => section.scrollIntoView());
  },
);
await picture(
  "compare",
  { address: task.live, view: "compare", viewport: kDesktop, colorScheme: "light" },
  async (tab, page) => {
    await page.getByLabel("Logarithmic").check();
    await page.getByLabel("Show the curve of rnn-64").check();
    await tab.sees(page.locator(".legend-entry").nth(4), "curves");
  },
);
await picture("write", { address: task.serve, view: "write", viewport: kDesktop, colorScheme: "light" }, writeOn);
await picture(
  "surprise",
  { address: task.serve, view: "write", viewport: kDesktop, colorScheme: "dark" },
  async (tab, page) => {
    await writeOn(tab, page);
    await page.getByLabel("Colour by surprise").check();
    const place = await page.locator(".layer").evaluate((layer) => {
      const range = document.createRange();
      range.setStart(layer.lastElementChild.firstChild, 0);
      range.setEnd(layer.lastElementChild.firstChild, 1);
      const { x, y } = range.getBoundingClientRect();
      return { x: x - 2, y: y - 40 };
    });
    await page.mouse.click(place.x, place.y);
    await tab.sees(page.getByText(/^Instead of/), "alternatives");
  },
);
await browser.close();
