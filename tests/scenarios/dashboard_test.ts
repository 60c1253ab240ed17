/** The dashboard of a real node in a real browser: seen, used by keyboard, and honest when the node is gone. */
import axe from "axe-core";
import { chromium, type Page } from "playwright-core";
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { freePort, Node } from "./node.ts";

const TOKEN = "a-token-of-the-test";
const PATIENCE_MS = 30_000;

const config = (port: number, server: number, closed: number) => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: [{ name: a, address: "127.0.0.1:${server}" }, { name: b, address: "127.0.0.1:${closed}" }]
    check: { type: tcp, interval: 200ms }
`;

async function withPage(url: string, use: (page: Page) => Promise<void>): Promise<void> {
  const tool = requireTool("chromium");
  if ("skip" in tool) throw new Error(tool.skip);
  const browser = await chromium.launch({
    executablePath: tool.path,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(url);
    await use(page);
    assertEquals(problems, []);
  } finally {
    await browser.close();
  }
}

/** What a checker of accessibility finds wrong with the page as it is. */
async function barriers(page: Page): Promise<string[]> {
  // Evaluated, as the page's policy lets no script in that is not its own.
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate<axe.AxeResults>("axe.run()");
  assert(passes.length > 20, "it has looked at the whole page");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const says = (page: Page, id: string, text: string) =>
  page.locator(`#${id}`, { hasText: text }).waitFor({ state: "attached" });

labTest(
  "the dashboard shows the node, changes it by keyboard with the token, and says when the node is gone",
  ["chromium"],
  async () => {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("hi"));
    const port = freePort();
    try {
      await using node = await Node.start(config(port, server.addr.port, freePort()), { token: TOKEN });
      await withPage(`http://127.0.0.1:${node.adminPort}/`, async (page) => {
        await says(page, "link", "Live");
        await says(page, "main", "1 of 2 take traffic");
        await says(page, "main", "probe failed: connection refused");
        await (await fetch(`http://127.0.0.1:${port}/`)).body?.cancel();
        await page.locator("#charts canvas").nth(3).waitFor();
        await page.locator("[role=img][aria-label^='Requests, a second: all']").waitFor();

        await page.focus("#drain-app-a");
        await page.keyboard.press("Enter");
        await says(page, "said", "A token is needed to change anything");
        await page.locator("#token:focus").waitFor();
        await page.keyboard.type("not the token");
        await page.keyboard.press("Enter");
        await says(page, "said", "Wrong token");
        // With the right one what was wanted is done.
        await page.fill("#token", TOKEN);
        await page.keyboard.press("Enter");
        await says(page, "said", "Done");
        await says(page, "main", "0 of 2 take traffic");
        // A page that is drawn anew leaves the focus where it was.
        await page.locator("#drain-app-a:focus").waitFor();
        assertEquals(await page.getAttribute("#drain-app-a", "aria-pressed"), "true");

        node.write(config(port, server.addr.port, freePort()).replace("name: b,", "name: c,"));
        await page.focus("#compare");
        await page.keyboard.press("Enter");
        await says(page, "plan", "server app/c added");
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          assertEquals(await barriers(page), [], colorScheme);
        }

        await page.setViewportSize({ width: 360, height: 700 });
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert(wide <= 360, `a phone would have to scroll sideways: ${wide}`);
        const { x = 0, width = 999 } = await page.locator("#maint-app-a").boundingBox() ?? {};
        assert(x + width <= 360, `buttons are out of reach: ${x} + ${width}`);
        assertEquals(await barriers(page), [], "on a phone");
        // A table that is drawn anew stays where it was scrolled to.
        const old = (await page.$("#servers-app"))!;
        await page.evaluate("document.getElementById('servers-app').scrollLeft = 100");
        await old.waitForElementState("hidden");
        assertEquals(await page.evaluate("document.getElementById('servers-app').scrollLeft"), 100);

        const balancer = await node.balancerPid();
        Deno.kill(balancer, "SIGSTOP");
        try {
          await says(page, "link", "No word from the node");
          assertEquals(await page.getAttribute("html", "data-link"), "lost");
        } finally {
          try {
            Deno.kill(balancer, "SIGCONT");
          } catch {
            // The keeper was quicker, and has killed it.
          }
        }
        // The keeper has replaced the one that hung, or it goes on: the page finds it either way.
        await says(page, "link", "Live");
      });
    } finally {
      await server.shutdown();
    }
  },
);
