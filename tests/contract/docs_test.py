"""The pages under /docs: every page is there as HTML and as Markdown, every link leads somewhere,
nothing comes from elsewhere, and what a resource can do is on its page."""

import html.parser
import json
import re
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(r"^https?://")


class Parsed(html.parser.HTMLParser):
    """The links, assets, anchors and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.assets, self.anchors, self.words, self.tags = [], [], set(), [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        assert not [name for name in attrs if name.startswith("on") or name == "style"], attrs
        if "id" in attrs:
            self.anchors.add(attrs["id"])
        if tag == "a":
            self.links.append(attrs["href"])
        elif tag == "link":
            self.assets.append(attrs["href"])
        elif "src" in attrs:
            self.assets.append(attrs["src"])

    def handle_data(self, data):
        self.words.append(data)


def ask(server, path, **headers):
    return httpx.get(server.origin + path, headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def pages(server):
    """Every page that can be reached from the front page: path -> (response, parsed)."""
    found, waiting = {}, ["/docs"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = ask(server, path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            found[path] = (answer, None)
            continue
        parsed = Parsed(answer.text)
        found[path] = (answer, parsed)
        for link in parsed.links + parsed.assets:
            if not OUTSIDE.match(link):
                waiting.append(urlsplit(urljoin(server.origin + path, urldefrag(link)[0])).path)
    return found


def html_pages(pages):
    return {path: both for path, both in pages.items() if both[1] is not None}


def test_every_project_page_and_resource_is_reached(pages, server):
    wanted = {"/docs"} | {f"/docs/{path.stem}" for path in (ROOT / "docs").glob("*.md")}
    document = ask(server, "/openapi.json").json()
    wanted |= {"/docs/reference/" + tag["name"].replace("_", "-") for tag in document["tags"]}
    assert wanted <= set(html_pages(pages))


def test_links_lead_to_anchors_that_are_there(pages, server):
    dead = []
    for path, (_, parsed) in html_pages(pages).items():
        for link in parsed.links:
            target, anchor = urldefrag(urljoin(server.origin + path, link))
            there = pages.get(urlsplit(target).path)
            if not OUTSIDE.match(link) and anchor and anchor not in there[1].anchors:
                dead.append(f"{path}: {link}")
    assert not dead


def test_nothing_comes_from_elsewhere(pages, server):
    for path, (answer, parsed) in html_pages(pages).items():
        assert not [each for each in parsed.assets if OUTSIDE.match(each)], path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert not parsed.tags & {"style", "iframe", "img", "form"}, path
    for asset in ("/docs/style.css", "/docs/docs.js"):
        assert "http" not in ask(server, asset).text, asset


@pytest.mark.parametrize("path,kind", [
    ("/docs", "text/html; charset=utf-8"), ("/docs/index.md", "text/markdown; charset=utf-8"),
    ("/docs/reference/assets.md", "text/markdown; charset=utf-8"),
    ("/docs/style.css", "text/css; charset=utf-8"),
    ("/docs/docs.js", "text/javascript; charset=utf-8"), ("/docs/icon.svg", "image/svg+xml"),
    ("/docs/search.json", "application/json"), ("/llms.txt", "text/plain; charset=utf-8"),
    ("/llms-full.txt", "text/plain; charset=utf-8")])
def test_types_and_etags(server, path, kind):
    answer = ask(server, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    again = ask(server, path, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = httpx.head(server.origin + path, trust_env=False)
    assert head.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/reference/nothing", "/docs/../README.md",
                                  "/docs/reference", "/docs/api.MD"])
def test_what_is_no_page_is_404(server, path):
    answer = ask(server, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "endpoint_not_exists")


def test_slash_too_much_leads_to_the_front_page(server):
    answer = ask(server, "/docs/")
    assert (answer.status_code, answer.headers["location"]) == (308, "/docs")


def test_markdown_stands_beside_every_page(pages, server):
    for path in html_pages(pages):
        source = ask(server, path + ".md")
        assert source.status_code == 200 and source.text.startswith("# "), path


def test_llms_txt_lists_every_page_and_the_full_one_holds_them(pages, server):
    index = ask(server, "/llms.txt").text
    assert index.startswith("# Kinodex\n\n> ")
    listed = {urljoin("/llms.txt", each) for each in re.findall(r"\]\(([^)]+)\)", index)}
    sources = {"/docs/index.md" if path == "/docs" else path + ".md" for path in html_pages(pages)}
    assert listed == sources | {"/openapi.json", "/llms-full.txt"}
    full = ask(server, "/llms-full.txt").text
    for source in sources:
        plain = re.sub(r"\]\([^)]*\)", "]()", ask(server, source).text)
        assert plain in re.sub(r"\]\([^)]*\)", "]()", full), source
    links = {urldefrag(urljoin("/llms-full.txt", each)).url
             for each in re.findall(r"\]\(([^)#\s][^)\s]*)\)", full)}
    inside = {each for each in links if not OUTSIDE.match(each)}
    assert inside and inside <= sources, "its links are as seen from the root"


def test_search_rows_lead_to_headings(pages, server):
    rows = json.loads(ask(server, "/docs/search.json").text)
    assert len(rows) > 100
    for address, title, heading in rows:
        path, anchor = urldefrag(urlsplit(urljoin(server.origin + "/docs/", address)).path
                                 + "#" + address.partition("#")[2])
        assert anchor in pages[path][1].anchors, address
        assert title and heading


def test_each_operation_is_on_its_page_with_all_that_it_takes_and_answers(server):
    document = ask(server, "/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            page = ask(server, f"/docs/reference/{operation['tags'][0].replace('_', '-')}.md").text
            begin = page.index(f"## {operation['summary']}\n")
            end = page.find("\n## ", begin + 1)
            section = page[begin:end if end > 0 else len(page)]
            what = f"{method} {path}"
            assert f"`{method.upper()} {path}`" in section, what
            for parameter in operation.get("parameters", []):
                assert f"| `{parameter['name']}`" in section, f"{what}: {parameter['name']}"
            for media in operation.get("requestBody", {}).get("content", {}).values():
                for name in media["schema"].get("properties", {}):
                    assert f"| `{name}`" in section, f"{what}: {name}"
            assert "### Answer 20" in section, what
            assert "### Errors" in section, what


def test_samples_of_answers_fit_their_schemas(server):
    """The JSON that the reference shows is what the document promises."""
    document = ask(server, "/openapi.json").json()
    checked = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            page = ask(server, f"/docs/reference/{operation['tags'][0].replace('_', '-')}.md").text
            begin = page.index(f"## {operation['summary']}\n")
            section = page[begin:page.find("\n## ", begin + 1)]
            sample = re.search(r"```json\n(.*?)\n```", section, re.S)
            if sample is None:
                continue
            answer = next(each for status, each in operation["responses"].items() if status < "300")
            schema = answer["content"]["application/json"]["schema"]
            jsonschema.validate(json.loads(sample.group(1)),
                                {**schema, "components": document["components"]})
            checked += 1
    assert checked >= 8
