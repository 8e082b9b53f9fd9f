// The menu of small screens, and the search box: headings of all pages, filtered as one types.
"use strict";

const root = document.body.dataset.root;
const input = document.querySelector(".search input");
const found = document.querySelector(".found");
const menu = document.querySelector(".menu");
const pages = document.querySelector(".pages");
const kShown = 12;

menu.addEventListener("click", () => {
    const open = pages.classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
});

let rows = null;
async function load() {
    rows ??= fetch(root + "search.json").then((answer) => answer.json());
    return rows;
}

/** Every word must be in the heading or the page's title; headings that begin with the text come first. */
function matches(all, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = all.filter(([, page, heading]) => {
        const both = (heading + " " + page).toLowerCase();
        return words.every((word) => both.includes(word));
    });
    const rank = ([, , heading]) => (heading.toLowerCase().startsWith(words[0]) ? 0 : 1);
    return hits.sort((a, b) => rank(a) - rank(b)).slice(0, kShown);
}

function row([address, page, heading]) {
    const link = document.createElement("a");
    link.href = root + address;
    link.append(heading);
    const small = document.createElement("small");
    small.append(page);
    link.append(small);
    const item = document.createElement("li");
    item.append(link);
    return item;
}

async function show() {
    const text = input.value.trim();
    if (text === "") {
        found.hidden = true;
        return;
    }
    const hits = matches(await load(), text);
    if (hits.length === 0) {
        const nothing = document.createElement("p");
        nothing.append("No heading has these words.");
        found.replaceChildren(nothing);
    } else {
        found.replaceChildren(...hits.map(row));
    }
    found.hidden = false;
}

input.addEventListener("focus", load);
input.addEventListener("input", show);
found.addEventListener("click", () => {
    found.hidden = true;
});
document.addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "/" && document.activeElement !== input) {
        event.preventDefault();
        input.focus();
    } else if (event.key === "Escape") {
        found.hidden = true;
        input.blur();
    } else if (event.key === "ArrowDown" && !found.hidden) {
        event.preventDefault();
        links[Math.min(at + 1, links.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && !found.hidden) {
        event.preventDefault();
        (at > 0 ? links[at - 1] : input).focus();
    } else if (event.key === "Enter" && document.activeElement === input) {
        links[0]?.click();
    }
});
document.addEventListener("click", (event) => {
    if (!event.target.closest("header")) {
        found.hidden = true;
    }
});
