// The pages under /docs in headless Chromium: they show, they search, they fit a phone, and the
// browser has nothing to complain about.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

import { startServer } from "../lib/server.mjs";

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const paths = ["/docs", "/docs/api", "/docs/benchmarks", "/docs/reference/overview",
    "/docs/reference/assets", "/docs/reference/errors"];
const desktop = { width: 1400, height: 900 };
const phone = { width: 390, height: 844 };

let server;
let browser;

before(async () => {
    server = await startServer();
    browser = await chromium.launch({
        executablePath: process.env.KINODEX_TEST_CHROMIUM ?? "/usr/bin/chromium", args: flags,
    });
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

/** A page that fails the test on any complaint of the browser or request to elsewhere. */
async function open(path, viewport) {
    const page = await browser.newPage({ viewport });
    page.complaints = [];
    page.on("console", (line) => page.complaints.push(line.text()));
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    page.on("request", (request) => {
        if (!request.url().startsWith(server.origin)) {
            page.complaints.push(`a request to ${request.url()}`);
        }
    });
    const answer = await page.goto(server.origin + path);
    assert.equal(answer.status(), 200);
    return page;
}

describe("docs", () => {
    for (const path of paths) {
        test(`${path} shows on a desktop and on a phone, and is never wider than the screen`, async () => {
            for (const viewport of [desktop, phone]) {
                const page = await open(path, viewport);
                const seen = await page.evaluate(() => ({
                    heading: document.querySelector("h1").textContent,
                    wide: document.documentElement.scrollWidth - window.innerWidth,
                    navigation: getComputedStyle(document.querySelector(".pages")).display,
                    styled: getComputedStyle(document.body).display,
                }));
                assert.ok(seen.heading.length > 0);
                assert.ok(seen.wide <= 0, `${seen.wide} pixels too wide at ${viewport.width}`);
                assert.equal(seen.styled, "grid", "the style sheet is in use");
                assert.equal(seen.navigation, viewport === phone ? "none" : "block");
                assert.deepEqual(page.complaints, []);
                await page.close();
            }
        });
    }

    test("the search finds headings, by keyboard alone, and leads to them", async () => {
        const page = await open("/docs/reference/indexes", desktop);
        await page.keyboard.press("/");
        await page.keyboard.type("delete asset");
        const first = page.locator(".found a").first();
        await first.waitFor();
        assert.match(await first.textContent(), /^Delete an asset/);
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.waitForURL(`${server.origin}/docs/reference/assets#delete-an-asset`);
        await page.keyboard.press("/");
        await page.keyboard.type("zzzz");
        await page.locator(".found p").waitFor();
        await page.keyboard.press("Escape");
        assert.equal(await page.locator(".found").isVisible(), false);
        assert.deepEqual(page.complaints, []);
        await page.close();
    });

    test("the menu of a phone opens and leads on", async () => {
        const page = await open("/docs", phone);
        await page.locator(".menu").click();
        assert.equal(await page.locator(".menu").getAttribute("aria-expanded"), "true");
        await page.locator(".pages a", { hasText: "Indexed assets" }).click();
        await page.waitForURL(`${server.origin}/docs/reference/indexed-assets`);
        await page.close();
    });

    test("dark readers get a dark page with enough contrast", async () => {
        for (const colorScheme of ["light", "dark"]) {
            const page = await browser.newPage({ colorScheme });
            await page.goto(server.origin + "/docs");
            const ratio = await page.evaluate(() => {
                const style = getComputedStyle(document.body);
                const luminance = (color) => {
                    const [r, g, b] = color.match(/\d+/g).map((part) => {
                        const value = part / 255;
                        return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
                    });
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                };
                const [ink, paper] = [luminance(style.color), luminance(style.backgroundColor)];
                return { ink, paper, contrast: (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) };
            });
            assert.equal(ratio.paper < 0.2, colorScheme === "dark");
            assert.ok(ratio.contrast >= 7, `contrast ${ratio.contrast}`);
            await page.close();
        }
    });
});
