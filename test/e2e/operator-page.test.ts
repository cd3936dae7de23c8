import { expect, test } from "bun:test";
import { start } from "../support/binary.ts";
import { chromium, Tab } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folder.ts";

const browserTest = test.skipIf(chromium === null);

/** The page of a server, in a browser. */
async function withPage(work: (tab: Tab, url: string, fingerprint: string) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  await using server = start(["server", "--json", "--data", folder.at("data"), "--listen", "127.0.0.1:0"]);
  const { http, fingerprint } = await server.waitFor("ready");
  await using tab = await Tab.open();
  await tab.visit(`http://${http}/`);
  await work(tab, `http://${http}`, fingerprint);
}

browserTest("a browser shows the page with its style, and finds nothing against its policy", async () => {
  await withPage(async (tab, url, fingerprint) => {
    expect(await tab.evaluate("document.title")).toBe("p2p server");
    expect(await tab.evaluate("document.body.innerText")).toContain(fingerprint);
    expect(await tab.evaluate("getComputedStyle(document.body).maxWidth")).toBe("672px");
    expect(tab.complaints.filter((text) => !text.includes("favicon"))).toEqual([]);
    await tab.evaluate("document.head.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))");
    expect(await tab.evaluate(`fetch("${url}/healthz").then(() => "answered", () => "refused")`)).toBe("refused");
    expect(tab.complaints.join("\n")).toMatch(/Content Security Policy/);
  });
});

browserTest("a screen reader is told landmarks, headings and the name of each section", async () => {
  await withPage(async (tab) => {
    const nodes = await tab.accessible();
    const named = (role: string) => nodes.filter((node) => node.role === role).map(({ name }) => name);
    expect(await tab.evaluate("document.documentElement.lang")).toBe("en");
    expect([named("banner"), named("main"), named("contentinfo")]).toEqual([[""], [""], [""]]);
    const sections = ["How to join", "How to get the program", "Is it the right server?"];
    expect(named("region")).toEqual(sections);
    expect(named("heading")).toEqual(["This is a p2p server", ...sections]);
    expect(named("link")).toEqual(["program"]);
  });
});

browserTest(
  "the page follows the reader's colour scheme, and fits a narrow screen without scrolling sideways",
  async () => {
    await withPage(async (tab) => {
      const ground = () => tab.evaluate("getComputedStyle(document.body).backgroundColor");
      await tab.prefer("light", 1_000);
      expect(await ground()).toBe("rgb(255, 255, 255)");
      await tab.prefer("dark", 320);
      expect(await ground()).toBe("rgb(21, 23, 26)");
      const { scrollWidth, clientWidth } = (await tab.evaluate(
        "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)",
      )) as { scrollWidth: number; clientWidth: number };
      expect(clientWidth).toBeLessThanOrEqual(320);
      expect(scrollWidth).toBe(clientWidth);
    });
  },
);
