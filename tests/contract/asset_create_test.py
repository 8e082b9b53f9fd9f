"""POST /assets: forms in every legal order, each refusal of the form, and nothing left behind."""

import json

import pytest

from lib.api import ID, SECONDS_TIME, UNKNOWN_ID, invalid, refused
from lib.multipart import BOUNDARY, Part, encode, in_pieces
from media.maker import clip

ASSET_KEYS = {"_id", "method", "status", "filename", "file_type", "created_at"}
FILE_NEEDED = ("The `file` parameter is required but was not provided. `file` is required when "
               "`method` is `direct`.")
BAD_FORM = "Invalid multipart form. Please check your implementation and try again."


@pytest.fixture(scope="module")
def png():
    return clip("png_128").read_bytes()


@pytest.fixture
def unchanged(api, server):
    """The refused request may leave neither a row nor a file."""
    def files():
        return sorted(str(p) for p in server.data_dir.rglob("*")
                      if p.is_file() and ".db" not in p.name and ".sqlite" not in p.name)

    total, before = api.asset_total(), files()
    yield
    assert api.asset_total() == total
    assert files() == before


def direct(png, **fields):
    return [Part("method", "direct"), Part("file", png, filename="a.png"),
            *[Part(name, value) for name, value in fields.items()]]


def test_small_upload_is_ready_at_once_with_the_short_asset(api, png):
    body = api.upload(png, filename="a.png")
    assert set(body) == ASSET_KEYS
    assert ID.match(body["_id"]) and SECONDS_TIME.match(body["created_at"])
    assert (body["method"], body["status"]) == ("direct", "ready")
    assert (body["filename"], body["file_type"]) == ("a.png", "image/png")


def test_video_upload_is_ready_at_once(api):
    body = api.upload(clip("h264_aac"), filename="movie.mp4", enable_hls="true",
                      enable_thumbnail="true")
    assert (body["status"], body["file_type"]) == ("ready", "video/mp4")
    assert not {"hls", "thumbnail", "size", "duration"} & set(body), "those belong to the detail"


@pytest.mark.parametrize("fields_first", [True, False], ids=["python order", "node order"])
def test_fields_count_wherever_they_stand(api, png, fields_first):
    body = api.upload(png, fields_first=fields_first, filename="part.png",
                      user_metadata='{"a": 1}') if fields_first else api.post_form([
                          Part("file", png, filename="part.png"), Part("user_metadata", '{"a": 1}'),
                          Part("method", "direct")]).json()
    assert body["user_metadata"] == {"a": 1}
    assert body["filename"] == "part.png"


@pytest.mark.parametrize("size", [1, 2, 7, 333, 65536], ids=lambda n: f"pieces of {n}")
def test_chunked_bodies_are_read_however_they_are_cut(api, png, size):
    body, kind = encode(direct(png, filename="named.png"))
    response = api.post("/assets", content=in_pieces(body, size), headers={"content-type": kind})
    assert response.status_code == 201, response.text
    assert response.request.headers["transfer-encoding"] == "chunked"
    detail = api.get("/assets/" + response.json()["_id"]).json()
    assert detail["size"] == len(png)


@pytest.mark.parametrize("frame", [
    {"epilogue": b""}, {"epilogue": b"\r\n"}, {"epilogue": b"\r\n\r\n"},
    {"epilogue": b"\r\nsome epilogue, to be ignored"},
    {"preamble": b"a preamble, to be ignored\r\n"}, {"preamble": b"\r\n"},
    {"boundary": "a"}, {"boundary": "x" * 70}, {"boundary": "'()+_,-./:=?0a"},
    {"boundary": "--------------------------123456"},
], ids=str)
def test_every_legal_frame_of_a_form_is_read(api, png, frame):
    body, kind = encode(direct(png), **frame)
    response = api.post("/assets", content=body, headers={"content-type": kind})
    assert response.status_code == 201, response.text
    assert api.get("/assets/" + response.json()["_id"]).json()["size"] == len(png)


def test_file_bytes_that_look_like_a_boundary_stay_in_the_file(api, png):
    trap = png + f"\r\n--{BOUNDARY[:-1]}\r\n--{BOUNDARY[:-2]}--\r\n\r\n--\r".encode()
    body = api.upload(trap, filename="trap.png")
    assert api.get("/assets/" + body["_id"]).json()["size"] == len(trap)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded",
                                  "text/plain", "multipart/mixed; boundary=b", ""])
def test_other_content_type_is_refused(api, png, kind, unchanged):
    response = api.post("/assets", content=b'{"method":"direct"}',
                        headers={"content-type": kind} if kind else {})
    shown = kind.split(";")[0]
    refused(response, 400, "content_type_invalid",
            pattern=rf"^The content type {shown}.* is not supported\. "
                    r"Please use multipart/form-data\.$")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=",
                                  "multipart/form-data; charset=utf-8"])
def test_missing_boundary_is_refused(api, png, kind, unchanged):
    refused(api.post("/assets", content=encode(direct(png))[0], headers={"content-type": kind}),
            400, "multipart_boundary_missing",
            "Multipart boundary is missing. Please provide the boundary in the `Content-Type` "
            "header.")


def broken_forms():
    whole, _ = encode([Part("method", "direct"), Part("file", b"12345678" * 20, filename="a")])
    end = f"--{BOUNDARY}--".encode()
    return {
        "cut before the end mark": whole[:whole.index(end)],
        "cut inside the file": whole[:whole.index(end) - 40],
        "cut inside a header": whole[:whole.index(b"Content-Disposition") + 9],
        "another boundary": whole.replace(BOUNDARY.encode(), b"somethingelse"),
        "no blank line after headers": f'--{BOUNDARY}\r\nContent-Disposition: form-data; '
                                       f'name="method"\r\n--{BOUNDARY}--\r\n'.encode(),
        "part without a name": f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
                               f"--{BOUNDARY}--\r\n".encode(),
        "part without disposition": f"--{BOUNDARY}\r\nX-A: b\r\n\r\nx\r\n"
                                    f"--{BOUNDARY}--\r\n".encode(),
        "no form at all": b"\0" * 500,
    }


@pytest.mark.parametrize("name", list(broken_forms()))
def test_broken_form_is_refused(api, name, unchanged):
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    refused(api.post("/assets", content=broken_forms()[name], headers={"content-type": kind}),
            400, "invalid_multipart", BAD_FORM)


def test_empty_body_is_refused(api, unchanged):
    # What a retried stream upload of the Node SDK looks like: nothing left to send.
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    response = api.post("/assets", content=b"", headers={"content-type": kind})
    assert response.status_code == 400
    assert response.json()["code"] in ("invalid_multipart", "parameter_not_provided",
                                       "content_type_invalid")


def test_empty_body_without_content_type_is_refused(api, unchanged):
    refused(api.post("/assets"), 400, "content_type_invalid")


@pytest.mark.parametrize("more", [[Part(f"f{n}", "x") for n in range(5000)],
                                  [Part("f" * 100_000, "x")]], ids=["parts", "a part header"])
def test_forms_have_bounds(api, more, unchanged):
    response = api.post_form([Part("method", "direct"), *more])
    assert response.status_code in (400, 413)


def test_long_text_field_is_refused(api, png, unchanged):
    response = api.post_form(direct(png, user_metadata=json.dumps({"a": "x" * (4 << 20)})))
    assert response.status_code in (400, 413)


def test_missing_method_is_the_validator_message(api, png, unchanged):
    refused(api.post_form([Part("file", png, filename="a.png")]), 400, "parameter_invalid",
            "Key: 'CreateAssetRequest.Method' Error:Field validation for 'Method' failed on the "
            "'required' tag")


@pytest.mark.parametrize("method", ["bogus", "DIRECT", "direct ", "connector"])
def test_other_method_is_the_validator_message(api, png, method, unchanged):
    refused(api.post_form([Part("method", method), Part("file", png, filename="a.png")]),
            400, "parameter_invalid",
            "Key: 'CreateAssetRequest.Method' Error:Field validation for 'Method' failed on the "
            "'oneof' tag")


def test_method_multipart_names_the_other_endpoint(api, png, unchanged):
    refused(api.post_form([Part("method", "multipart"), Part("file", png, filename="a.png")]),
            400, "parameter_invalid",
            "The `method` parameter is invalid. To upload in parts, use the "
            "`/assets/multipart-uploads` endpoint.")


def test_method_url_without_url_is_refused(api, unchanged):
    refused(api.post_form([Part("method", "url")]), 400, "parameter_not_provided",
            "The `url` parameter is required but was not provided. `url` is required when "
            "`method` is `url`.")


@pytest.mark.parametrize("parts", [
    [Part("method", "direct")],
    [Part("method", "direct"), Part("url", "http://x/")],
    [Part("method", "direct"), Part("file", "")],
], ids=["nothing", "a url", "an empty text field called file"])
def test_missing_file_is_refused(api, parts, unchanged):
    refused(api.post_form(parts), 400, "parameter_not_provided", FILE_NEEDED)


def test_empty_file_is_refused(api, unchanged):
    body = api.post_form(direct(b""))
    refused(body, 400, "parameter_invalid", pattern=r"^The file parameter is invalid\.")


def test_unknown_field_is_refused(api, png, unchanged):
    refused(api.post_form(direct(png, colour="red")), 400, "parameter_unknown",
            "The `colour` parameter is unknown.")


def test_unknown_query_parameter_is_refused(api, png, unchanged):
    refused(api.post_form(direct(png), query="bogus=1"), 400, "parameter_unknown",
            "The `bogus` parameter is unknown.")


@pytest.mark.parametrize("twice", ["method", "file", "user_metadata"])
def test_field_given_twice_is_refused(api, png, twice, unchanged):
    parts = direct(png, user_metadata="{}")
    response = api.post_form([*parts, *[part for part in parts if part.name == twice]])
    invalid(response, twice)


def test_direct_follows_method_when_url_is_given_too(api, png):
    response = api.post_form(direct(png, url="http://127.0.0.1:9/a.mp4"))
    assert response.status_code == 201 and response.json()["method"] == "direct"


# --- filename -------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["a", "x" * 255, "Ünïcode 映画 🎬.mp4", "spaces and 'quotes'.png"])
def test_filename_field_wins_over_the_part(api, png, name):
    assert api.post_form(direct(png, filename=name)).json()["filename"] == name


def test_filename_of_256_is_refused(api, png, unchanged):
    invalid(api.post_form(direct(png, filename="x" * 256)), "filename")


@pytest.mark.parametrize("sent", ["../../etc/passwd", "/etc/passwd", "a/b/c.png", "..\\..\\x.png"])
def test_filename_is_only_a_label(api, server, png, sent):
    body = api.upload(png, filename=sent)
    assert body["status"] == "ready"
    found = [p for p in server.data_dir.rglob("*") if p.name in ("passwd", "c.png", "x.png")]
    assert not found


def test_asset_ids_rise_with_time(api, png):
    ids = [api.upload(png)["_id"] for _ in range(5)]
    assert ids == sorted(ids) and len(set(ids)) == 5


# --- switches and metadata ------------------------------------------------------------------

@pytest.mark.parametrize("name", ["enable_hls", "enable_thumbnail"])
@pytest.mark.parametrize("text", ["maybe", "2", "yes please"])
def test_unreadable_switch_is_refused(api, png, name, text, unchanged):
    invalid(api.post_form(direct(png, **{name: text})), name)


@pytest.mark.parametrize("text", ["", "not json", "[1]", '"text"', "5", "null", '{"a": [1]}',
                                  '{"a": {"b": 1}}', '{"a": 1', '{"a": 1} x', '{"a": NaN}',
                                  '{"a": 1e999}', '{"a": 18446744073709551616}',
                                  '{"a": "\\ud800"}', '{"": 1}'])
def test_bad_user_metadata_is_refused(api, png, text, unchanged):
    invalid(api.post_form(direct(png, user_metadata=text)), "user_metadata")


def test_user_metadata_keeps_types_and_ignores_null_and_empty(api, png):
    text = ('{"i": 5, "f": 5.0, "g": 9.3, "big": 9007199254740993, "b": true, "s": "x", '
            '"n": null, "e": "", "ключ 🗝": "значение", "Case": "a", "case": "b"}')
    body = api.upload(png, user_metadata=text)
    wanted = {k: v for k, v in json.loads(text).items() if k not in ("n", "e")}
    for seen in (body, api.get("/assets/" + body["_id"]).json()):
        got = seen["user_metadata"]
        assert got == wanted
        assert [type(got[k]) for k in wanted] == [type(v) for v in wanted.values()]


@pytest.mark.parametrize("text", ["{}", '{"a": null}', '{"a": ""}'])
def test_user_metadata_that_says_nothing_is_absent(api, png, text):
    body = api.upload(png, user_metadata=text)
    assert "user_metadata" not in body
    assert "user_metadata" not in api.get("/assets/" + body["_id"]).json()


def metadata_cases():
    """Bounds: 100 keys, 256 bytes a key, 8 KiB a text, 64 KiB in all."""
    return [
        ({f"k{n}": n for n in range(100)}, True), ({f"k{n}": n for n in range(101)}, False),
        ({"k" * 256: 1}, True), ({"k" * 257: 1}, False),
        ({"a": "x" * 8192}, True), ({"a": "x" * 8193}, False),
        ({f"k{n}": "x" * 8000 for n in range(8)}, True),
        ({f"k{n}": "x" * 8000 for n in range(9)}, False),
    ]


@pytest.mark.parametrize("case", range(8))
def test_user_metadata_bounds(api, png, case):
    values, fits = metadata_cases()[case]
    response = api.post_form(direct(png, user_metadata=json.dumps(values)))
    if fits:
        assert response.json()["user_metadata"] == values
    else:
        invalid(response, "user_metadata")


def test_indexing_what_was_refused_is_404(api):
    index = api.make_index("after refusals")
    response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": UNKNOWN_ID})
    assert response.status_code == 404
